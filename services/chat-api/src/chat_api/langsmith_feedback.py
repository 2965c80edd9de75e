"""Feedback on its way to LangSmith: behind the request, and given up where LangSmith is away."""

import asyncio
import logging
import queue
import threading
import time
import urllib.error
import urllib.request
import uuid
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from chat_api.settings import ApiSettings

_log = logging.getLogger(__name__)

KEY = "user_score"
TIMEOUT_S = 3.0
WAITING_MAX = 1_000
CLOSE_S = 1.0
COMPLAIN_EVERY_S = 60.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The key is for one address."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class LangSmithFeedback:
    """Sends in the order it was given; what does not fit into the queue is dropped."""

    def __init__(self, endpoint: str, api_key: str) -> None:
        self._url = f"{endpoint}/feedback"
        self._headers = {"Content-Type": "application/json", "x-api-key": api_key}
        # A proxy of the environment has no business between us and our own machine.
        is_local = urlsplit(endpoint).hostname in _LOOPBACK
        proxies = urllib.request.ProxyHandler({} if is_local else None)
        self._opener = urllib.request.build_opener(proxies, _NoRedirects)
        self._waiting: queue.Queue[bytes | None] = queue.Queue(WAITING_MAX)
        self._thread: threading.Thread | None = None
        self._complained = -COMPLAIN_EVERY_S

    @classmethod
    def of(cls, settings: ApiSettings) -> Self | None:
        """None where the settings send no runs to LangSmith, or name no http address."""
        endpoint = settings.langsmith_url
        if not settings.sends_runs_to_langsmith or urlsplit(endpoint).scheme not in ("http", "https"):
            return None
        return cls(endpoint, settings.langsmith_key)

    def send(self, run_id: uuid.UUID, score: int, comment: str | None) -> None:
        """Returns at once."""
        told = {
            "id": str(uuid.uuid4()),
            "run_id": str(run_id),
            "trace_id": str(run_id),
            "key": KEY,
            "score": score,
            "comment": comment,
            "feedback_source": {"type": "api"},
        }
        if self._thread is None:
            # A daemon: nothing that hangs keeps the process.
            self._thread = threading.Thread(target=self._work, name="langsmith:feedback", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(orjson.dumps(told))
        except queue.Full:
            self._complain("too much is waiting")

    async def close(self) -> None:
        """Sends what is left, within CLOSE_S."""
        if self._thread is not None:
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                return
            await asyncio.to_thread(self._thread.join, CLOSE_S)

    def _work(self) -> None:
        while (body := self._waiting.get()) is not None:
            request = urllib.request.Request(self._url, data=body, headers=self._headers, method="POST")
            try:
                with self._opener.open(request, timeout=TIMEOUT_S):
                    pass
            except urllib.error.HTTPError as error:
                error.close()
                self._complain(f"HTTP {error.code}")
            except Exception as error:
                self._complain(type(error).__name__)

    def _complain(self, why: str) -> None:
        if time.monotonic() - self._complained > COMPLAIN_EVERY_S:
            self._complained = time.monotonic()
            _log.warning("feedback does not reach LangSmith: %s", why)
