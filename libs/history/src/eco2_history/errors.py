"""What can go wrong with the stored conversation."""


class HistoryUnavailable(Exception):
    """The database cannot be reached now, or is not ready; whether a write took effect is unknown."""


class SchemaOutOfDate(HistoryUnavailable):
    """The database lacks tables or columns that this version needs."""


class TurnRefused(Exception):
    """The database does not take this turn, however often it is tried."""


class UnknownSession(Exception):
    """There is no such session, or it is somebody else's."""


class UnknownCursor(Exception):
    """The cursor names no turn of the session."""
