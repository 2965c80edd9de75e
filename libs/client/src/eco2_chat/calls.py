"""The API's calls and what their answers mean: all that both clients share."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlsplit

import httpx

from eco2_chat.errors import ApiError
from eco2_chat.patience import Patience
from eco2_chat.question import Location, Question

_BUSY = frozenset({429, 502, 503, 504})
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
RETRY_AFTER_MAX_S = 60.0

ApiKey = str | Callable[[], str]
"""An access key or a token; or what gives one that is valid now, and returns at once."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `repeats` says that sending it twice does no harm."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    repeats: bool = True

    def may_repeat(self, error: httpx.TransportError) -> bool:
        """Whether it can be sent again after this."""
        return self.repeats or isinstance(error, _UNSENT)


def submit(question: Question) -> Call:
    """Asks; the same key gives the same job."""
    return Call("POST", "/api/v1/chat", question.body(), {"Idempotency-Key": question.key})


def status(job_id: str) -> Call:
    """How a job stands."""
    return Call("GET", _job(job_id))


def cancel(job_id: str) -> Call:
    """Cancels a job."""
    return Call("POST", f"{_job(job_id)}/cancel")


def give_input(job_id: str, location: Location) -> Call:
    """Says where the user is; a second time it is no longer wanted."""
    return Call("POST", f"{_job(job_id)}/input", {"location": location.body()}, repeats=False)


def turns(session_id: str, before: str | None, limit: int) -> Call:
    """A page of a session's turns."""
    params = {"limit": str(limit), **({} if before is None else {"before": before})}
    return Call("GET", f"{_session(session_id)}/turns", params=params)


def delete(session_id: str) -> Call:
    """Erases a session."""
    return Call("DELETE", _session(session_id))


def events_path(job_id: str) -> str:
    """Where a job's events are."""
    return f"{_job(job_id)}/events"


def _job(job_id: str) -> str:
    return f"/api/v1/chat/{quote(job_id, safe='')}"


def _session(session_id: str) -> str:
    return f"/api/v1/sessions/{quote(session_id, safe='')}"


def refusal(response: httpx.Response) -> ApiError:
    """What a refusal says; the body has been read."""
    try:
        body: Any = response.json()
    except ValueError:
        body = None
    problem = cast(dict[str, Any], body) if isinstance(body, dict) else {}
    code = str(problem.get("code", "http_error"))
    detail = str(problem.get("detail", response.reason_phrase))
    return ApiError(response.status_code, code, detail, problem)


def is_passing(error: ApiError) -> bool:
    """Whether the same call may succeed in a moment."""
    return error.status in _BUSY or error.code == "idempotency_in_flight"


def retry_after_s(response: httpx.Response) -> float:
    """How long the server wants to be left alone."""
    text = response.headers.get("retry-after", "")
    return min(float(text), RETRY_AFTER_MAX_S) if text.isascii() and text.isdigit() else 0.0


class _Bearer(httpx.Auth):
    """Shows the key with every request; one that ends is asked for anew each time."""

    def __init__(self, api_key: ApiKey) -> None:
        self._api_key = api_key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        key = self._api_key if isinstance(self._api_key, str) else self._api_key()
        request.headers["Authorization"] = f"Bearer {key}"
        yield request


def options(base_url: str, api_key: ApiKey | None, patience: Patience) -> dict[str, Any]:
    """How both clients speak HTTP."""
    return {
        "base_url": base_url.rstrip("/"),
        "headers": {"User-Agent": "eco2-chat", "Accept-Encoding": "identity"},
        "auth": _Bearer(api_key) if api_key else None,
        "timeout": httpx.Timeout(patience.silence_s, connect=patience.connect_s),
        # A proxy of the environment has no business between us and our own machine.
        "trust_env": urlsplit(base_url).hostname not in ("localhost", "127.0.0.1", "::1"),
    }
