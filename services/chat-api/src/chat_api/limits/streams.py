"""How many streams one process serves, and how many of them to one user."""

from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Annotated, cast

from fastapi import Depends, Request

from chat_api import errors
from chat_api.deps import EventsReader, Owner
from chat_api.limits.address import user_of


class OpenStreams:
    """The streams of one process; 0 is no limit."""

    def __init__(self, at_most: int, at_most_per_user: int) -> None:
        self._at_most = at_most
        self._at_most_per_user = at_most_per_user
        self._open = 0
        self._open_of: Counter[str] = Counter()

    @contextmanager
    def one_of(self, user: str) -> Generator[None]:
        """Counts a stream for as long as the context lasts; raises `429` or `503` instead."""
        self.check(user)
        self._open += 1
        self._open_of[user] += 1
        try:
            yield
        finally:
            self._open -= 1
            self._open_of[user] -= 1
            if not self._open_of[user]:
                del self._open_of[user]

    def check(self, user: str) -> None:
        """Raises `429` or `503` when there is no place for one more."""
        if 0 < self._at_most_per_user <= self._open_of[user]:
            raise errors.too_many_streams_of_yours(self._at_most_per_user)
        if 0 < self._at_most <= self._open:
            raise errors.too_many_streams()


def _of(request: Request) -> OpenStreams:
    return cast(OpenStreams, request.app.state.open_streams)


async def _streaming(request: Request, owner: Owner) -> AsyncGenerator[None]:
    with _of(request).one_of(user_of(request, owner)):
        yield


async def _streaming_if_asked(request: Request, owner: Owner) -> AsyncGenerator[None]:
    with _of(request).one_of(user_of(request, owner)) if wants_stream(request) else nullcontext():
        yield


async def _events_place(request: Request, links: EventsReader) -> AbstractContextManager[None]:
    streams, user = _of(request), user_of(request, links.caller.owner)
    # Before anything is looked up for them: many who come back at once find no place.
    streams.check(user)
    return streams.one_of(user)


def wants_stream(request: Request) -> bool:
    """True when the answer shall be the events themselves."""
    return "text/event-stream" in request.headers.get("accept", "")


# Dependencies of routes, which are entered before anything else is done and left behind the last byte.
Streaming = Depends(_streaming)
StreamingIfAsked = Depends(_streaming_if_asked)
EventsPlace = Annotated[AbstractContextManager[None], Depends(_events_place)]
"""A viewer's place, still to be entered: where nothing is done before, the response itself can hold it, and
thousands of silent streams need no generator each."""
