"""Bearer tokens of one issuer: JSON Web Tokens, checked by its public keys."""

from dataclasses import dataclass

import jwt

from chat_api import errors
from chat_api.auth.caller import Caller
from chat_api.auth.jwks import Jwks

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signatures that only the issuer can make; one by a shared secret, or none, is never taken."""
TOKEN_MAX_CHARS = 8_192
SUBJECT_MAX_CHARS = 255


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    leeway_s: float


class BearerTokens:
    """Callers by the `sub` of their tokens."""

    def __init__(self, rules: TokenRules, keys: Jwks) -> None:
        self._rules = rules
        self._keys = keys

    async def caller(self, credential: str) -> Caller:
        """Whose token it is; raises `401`, and KeysUnavailable."""
        if len(credential) > TOKEN_MAX_CHARS:
            raise errors.invalid_credential()
        key = await self._key_of(credential)
        rules = self._rules
        try:
            claims = jwt.decode(
                credential,
                key,
                algorithms=rules.algorithms,
                audience=rules.audience,
                issuer=rules.issuer,
                leeway=rules.leeway_s,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except jwt.ExpiredSignatureError:
            raise errors.credential_expired() from None
        except jwt.PyJWTError:
            raise errors.invalid_credential() from None
        subject: str = claims["sub"]
        if not 0 < len(subject) <= SUBJECT_MAX_CHARS or not subject.isprintable():
            raise errors.invalid_credential()
        return Caller(f"jwt:{subject}", float(claims["exp"]) + rules.leeway_s)

    async def close(self) -> None:
        """Frees all connections."""
        await self._keys.close()

    async def _key_of(self, token: str) -> jwt.PyJWK:
        """By nothing but the key's id: what a token says of where its key is to be found is not heeded."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise errors.invalid_credential() from None
        kid = header.get("kid")
        # Before the issuer is asked: no fetch for what can never be good.
        if header.get("alg") not in self._rules.algorithms or not isinstance(kid, str):
            raise errors.invalid_credential()
        key = await self._keys.key(kid)
        if key is None:
            raise errors.invalid_credential()
        return key
