"""Who may call, as the settings say it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from chat_api import errors
from chat_api.auth.caller import ANONYMOUS, Caller, UnusableSettings
from chat_api.auth.keys import ApiKeys, read_pairs
from chat_api.auth.settings import AuthSettings
from chat_api.auth.tickets import Tickets

SECRET_MIN_CHARS = 32


class Credentials(Protocol):
    """Knows callers by what they show."""

    async def caller(self, credential: str) -> Caller:
        """Raises `401`, and KeysUnavailable."""
        ...

    async def close(self) -> None:
        """Frees all connections."""
        ...


@dataclass(frozen=True)
class Access:
    """Without credentials everybody is the same, and no ticket is needed."""

    credentials: Credentials | None = None
    tickets: Tickets | None = None

    async def caller(self, authorizations: Sequence[str]) -> Caller:
        """Who a request is from, by its `Authorization` headers; raises `401`, and KeysUnavailable."""
        if self.credentials is None:
            return ANONYMOUS
        if not authorizations:
            raise errors.unauthenticated()
        # Of two, a proxy may have checked the other one.
        scheme, _, credential = authorizations[0].partition(" ")
        credential = credential.strip()
        if len(authorizations) > 1 or scheme.lower() != "bearer" or not credential:
            raise errors.invalid_credential()
        return await self.credentials.caller(credential)

    async def reader(self, authorizations: Sequence[str], ticket: str | None, scope: str) -> Caller:
        """As `caller`; without a credential, a ticket for this scope does."""
        if self.tickets is None or ticket is None or authorizations:
            return await self.caller(authorizations)
        return self.tickets.read(scope, ticket)

    async def close(self) -> None:
        """Frees all connections."""
        if self.credentials is not None:
            await self.credentials.close()


def open_access(settings: AuthSettings) -> Access:
    """Raises UnusableSettings rather than let anybody in by mistake."""
    if settings.auth_mode == "none":
        return Access()
    secret = _secret("TICKET_SECRET", settings.ticket_secret, settings.ticket_secret_file).strip()
    if len(secret) < SECRET_MIN_CHARS:
        raise UnusableSettings(
            f"TICKET_SECRET is missing or shorter than {SECRET_MIN_CHARS} characters: with AUTH_MODE="
            f"{settings.auth_mode} it signs the tickets in addresses, and all replicas need the same one"
        )
    credentials = _api_keys(settings) if settings.auth_mode == "api_key" else _tokens(settings)
    return Access(credentials, Tickets(secret.encode(), ttl_s=settings.ticket_ttl_s))


def check_may_listen(settings: AuthSettings, host: str) -> None:
    """Raises UnusableSettings for an address that others reach, where everybody may do everything."""
    if settings.auth_mode == "none" and not settings.auth_none_anywhere and not _is_loopback(host):
        raise UnusableSettings(
            f"AUTH_MODE=none listens on loopback only, and {host} is none: choose api_key or jwt, "
            "or say AUTH_NONE_ANYWHERE=true where nobody else reaches the port"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _api_keys(settings: AuthSettings) -> Credentials:
    pairs = read_pairs(_secret("AUTH_API_KEYS", settings.auth_api_keys, settings.auth_api_keys_file))
    if not pairs:
        raise UnusableSettings("AUTH_API_KEYS is missing: AUTH_MODE=api_key knows nobody")
    return ApiKeys(pairs)


def _tokens(settings: AuthSettings) -> Credentials:
    # Only here: HTTP and cryptography take a process time and memory that the other modes can do without.
    from chat_api.auth.jwks import Jwks
    from chat_api.auth.tokens import ALGORITHMS, BearerTokens, TokenRules

    issuer, audience = settings.auth_jwt_issuer, settings.auth_jwt_audience
    url, algorithms = settings.auth_jwt_jwks_url, tuple(settings.auth_jwt_algorithms)
    if not issuer or not audience:
        raise UnusableSettings("AUTH_MODE=jwt needs AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE")
    if not _is_key_address(url):
        raise UnusableSettings("AUTH_JWT_JWKS_URL must be https, or http on loopback")
    if not algorithms or not ALGORITHMS.issuperset(algorithms):
        raise UnusableSettings(f"AUTH_JWT_ALGORITHMS must be some of {', '.join(sorted(ALGORITHMS))}")
    return BearerTokens(TokenRules(issuer, audience, algorithms, settings.auth_jwt_leeway_s), Jwks(url))


def _is_key_address(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def _secret(name: str, value: SecretStr, file: Path | None) -> str:
    if file is None:
        return value.get_secret_value()
    if value.get_secret_value():
        raise UnusableSettings(f"{name} and {name}_FILE: one of the two")
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UnusableSettings(f"{name}_FILE cannot be read: {type(error).__name__}") from None
