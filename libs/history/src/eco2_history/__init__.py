"""What was said: the turns of every session, in SQL."""

from eco2_history.errors import (
    HistoryUnavailable,
    SchemaOutOfDate,
    TurnRefused,
    UnknownCursor,
    UnknownSession,
)
from eco2_history.store import TurnStore
from eco2_history.turn import Page, Turn

__all__ = [
    "HistoryUnavailable",
    "Page",
    "SchemaOutOfDate",
    "Turn",
    "TurnRefused",
    "TurnStore",
    "UnknownCursor",
    "UnknownSession",
]
