"""The client for programs that wait."""

import time
from collections.abc import Iterator
from typing import Any, Self

import httpx

from eco2_chat import calls
from eco2_chat.answer import Answer, Listener
from eco2_chat.attempts import Attempts
from eco2_chat.calls import ApiKey, Call
from eco2_chat.errors import ConnectionLost
from eco2_chat.events import Event, Queued, of
from eco2_chat.following import Following
from eco2_chat.history import JobStatus, TurnPage
from eco2_chat.patience import Patience
from eco2_chat.question import Location, Question

PATIENT = Patience()


class Client:
    """Asks and follows; cut connections are taken up again without a word.

    Every method may raise ApiError, and ConnectionLost once its patience has run out.
    """

    def __init__(self, base_url: str, *, api_key: ApiKey | None = None, patience: Patience = PATIENT) -> None:
        self.patience = patience
        self._http = httpx.Client(**calls.options(base_url, api_key, patience))

    def ask(self, question: str | Question, **fields: Any) -> Answer:
        """Asks and waits for the whole answer; raises AnswerFailed. `fields` are those of Question."""
        listener = Listener()
        for event in self.stream(question, **fields):
            listener.hear(event)
        return listener.answer()

    def stream(self, question: str | Question, **fields: Any) -> Iterator[Event]:
        """Asks and gives every event exactly once, `Queued` first and the end last."""
        return self.events(self.submit(question, **fields).job_id)

    def submit(self, question: str | Question, **fields: Any) -> Queued:
        """Asks only; sent again after a fault, it is still one job."""
        asked = Question(question, **fields) if isinstance(question, str) else question
        return of(Queued, self._send(calls.submit(asked)).json())

    def events(self, job_id: str, *, after: str | None = None) -> Iterator[Event]:
        """The events of a job from the first, or after an event's id, to the end."""
        following = Following(job_id, after, self.patience)
        while True:
            yield from self._connection(following)
            if following.is_expired:
                yield from following.kept(self.status(job_id))
            if following.has_ended:
                return
            time.sleep(following.delay_s())

    def status(self, job_id: str) -> JobStatus:
        """How a job stands and, once it has ended, what came of it."""
        return JobStatus.read(self._send(calls.status(job_id)).json())

    def cancel(self, job_id: str) -> JobStatus:
        """Cancels a job wherever it is; safe to repeat."""
        return JobStatus.read(self._send(calls.cancel(job_id)).json())

    def give_input(self, job_id: str, location: Location) -> JobStatus:
        """Says where the user is, to a job that asked."""
        return JobStatus.read(self._send(calls.give_input(job_id, location)).json())

    def turns(self, session_id: str, *, before: str | None = None, limit: int = 20) -> TurnPage:
        """The newest turns of a session, or those before the cursor of an earlier page."""
        return TurnPage.read(self._send(calls.turns(session_id, before, limit)).json())

    def delete_session(self, session_id: str) -> None:
        """Erases every trace of a session."""
        self._send(calls.delete(session_id))

    def close(self) -> None:
        """Frees all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connection(self, following: Following) -> Iterator[Event]:
        """What one connection brings, however it ends."""
        path = calls.events_path(following.job_id)
        try:
            with self._http.stream("GET", path, headers=following.headers()) as response:
                if response.status_code != 200:
                    response.read()
                    following.refused(response)
                    return
                following.opened()
                for chunk in response.iter_bytes():
                    yield from following.feed(chunk)
                    if following.has_ended:
                        return
                following.left()
        except httpx.TransportError:
            return

    def _send(self, call: Call) -> httpx.Response:
        attempts = Attempts(self.patience, self.patience.call_s)
        while True:
            at_least_s = 0.0
            try:
                response = self._http.request(
                    call.method, call.path, json=call.body, headers=call.headers, params=call.params
                )
            except httpx.TransportError as fault:
                lasting: Exception = ConnectionLost(None, None)
                if not call.may_repeat(fault):
                    raise lasting from fault
            else:
                if response.is_success:
                    return response
                lasting = refusal = calls.refusal(response)
                if not calls.is_passing(refusal):
                    raise refusal
                at_least_s = calls.retry_after_s(response)
            time.sleep(attempts.failed(at_least_s, lasting))
