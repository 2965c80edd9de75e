"""Eco² Chat from Python: `Client` and `AsyncClient` ask, follow and resume by themselves."""

from eco2_chat.aio import AsyncClient
from eco2_chat.answer import Answer
from eco2_chat.client import Client
from eco2_chat.errors import AnswerFailed, ApiError, ConnectionLost, Eco2Error, NotOurStream
from eco2_chat.events import (
    Cancelled,
    CredentialExpired,
    Done,
    Event,
    Failed,
    Gap,
    Image,
    InputRequired,
    Queued,
    Reset,
    Source,
    Sources,
    Stage,
    Started,
    Token,
    Usage,
)
from eco2_chat.history import JobStatus, Turn, TurnPage
from eco2_chat.patience import Patience
from eco2_chat.question import Location, Question, picture

__all__ = [
    "Answer",
    "AnswerFailed",
    "ApiError",
    "AsyncClient",
    "Cancelled",
    "Client",
    "ConnectionLost",
    "CredentialExpired",
    "Done",
    "Eco2Error",
    "Event",
    "Failed",
    "Gap",
    "Image",
    "InputRequired",
    "JobStatus",
    "Location",
    "NotOurStream",
    "Patience",
    "Question",
    "Queued",
    "Reset",
    "Source",
    "Sources",
    "Stage",
    "Started",
    "Token",
    "Turn",
    "TurnPage",
    "Usage",
    "picture",
]
