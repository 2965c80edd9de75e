"""What an operator can set about who may call."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class AuthSettings(BaseSettings):
    """`access.open_access` checks what belongs together, before anything listens."""

    auth_mode: Literal["none", "api_key", "jwt"] = "none"
    auth_none_anywhere: bool = False
    """True lets `none` listen off loopback too: whoever reaches the port may do everything."""
    allowed_hosts: str = ""
    """Names, with commas, under which `none` is called beside `localhost` and addresses; `*` for any."""

    auth_api_keys: SecretStr = SecretStr("")
    """`name:sha256` pairs with commas or blanks between them; `python -m chat_api.auth.keys` makes one."""
    auth_api_keys_file: Path | None = None
    """The same, from a file."""

    auth_jwt_issuer: str = ""
    auth_jwt_audience: str = ""
    auth_jwt_jwks_url: str = ""
    """Where the issuer's public keys are: https, or http on loopback."""
    auth_jwt_algorithms: list[str] = ["RS256", "ES256"]
    auth_jwt_leeway_s: float = Field(default=30.0, ge=0, le=300)
    """How far the issuer's clock and ours may be apart."""

    ticket_secret: SecretStr = SecretStr("")
    """Signs the tickets in addresses; the same for all replicas, at least 32 characters."""
    ticket_secret_file: Path | None = None
    """The same, from a file."""
    ticket_ttl_s: int = Field(default=600, ge=5, le=3600)
    """Longer than a job may take, so that a viewer who comes back in mid-answer needs no other address."""
