"""Who is calling, and what keeps us from telling."""

from dataclasses import dataclass


class UnusableSettings(ValueError):
    """The settings of access contradict each other or are incomplete; the text says which, and no secret."""


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had, so nobody can say whether a token is good."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's caller, as its credential has it; nothing else a request says of itself counts."""

    owner: str
    """What jobs, sessions and pictures belong to. Callers with the same name are the same."""
    expires_at_s: float | None = None
    """When the credential ends, in Unix seconds; None for one that does not."""
    ticket_expires_at_s: float | None = None
    """When the ticket ends that stood for the credential; None when the credential itself was shown."""


ANONYMOUS = Caller("anonymous")
"""Everybody, without authentication."""
