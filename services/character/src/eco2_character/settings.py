"""What an operator can set, by `CHARACTER_*` variables or `.env`."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import AliasChoices, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from eco2_character.catalogue import PACKAGED


class CharacterSettings(BaseSettings):
    """Settings of the character service."""

    model_config = SettingsConfigDict(
        env_prefix="CHARACTER_", env_file=".env", extra="ignore", populate_by_name=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=50051, ge=0, le=65_535)
    """0 takes any free port."""
    tls_cert: Path | None = None
    """PEM file with the certificate chain; TLS is on when it and the key are set.

    A file that is replaced is taken without a restart.
    """
    tls_key: Path | None = None
    plain_off_loopback: bool = False
    """True where the network encrypts by itself (a service mesh); else a plain port serves loopback only."""

    catalogue: Path = PACKAGED
    grace_s: float = Field(default=5, ge=0)
    """After SIGTERM: how long calls under way may finish."""
    max_calls: int = Field(default=1_000, ge=1)
    """Calls at a time; more are refused with RESOURCE_EXHAUSTED."""

    metrics_port: int | None = Field(default=None, ge=1, le=65_535)
    """Where `/metrics` is served; unset, it is not."""
    metrics_host: str = "127.0.0.1"
    log_level: str = Field(
        default="INFO", validation_alias=AliasChoices("CHARACTER_LOG_LEVEL", "LOG_LEVEL", "log_level")
    )

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("CHARACTER_TLS_CERT and CHARACTER_TLS_KEY are set together or not at all")
        if self.tls_cert is None and not self.plain_off_loopback and not _is_loopback(self.host):
            raise ValueError(
                f"{self.host} is reachable from outside: set CHARACTER_TLS_CERT and CHARACTER_TLS_KEY,"
                " or CHARACTER_PLAIN_OFF_LOOPBACK=true"
            )
        return self

    @property
    def address(self) -> str:
        """As gRPC writes host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
