"""One question in the terminal, from the asking to its end."""

import contextlib
import sys

from eco2_chat.cli.screen import Screen
from eco2_chat.client import Client
from eco2_chat.errors import ApiError, Eco2Error
from eco2_chat.events import Cancelled, Done, Failed, InputRequired, Queued
from eco2_chat.question import Location, Question

OK, FAILED, INTERRUPTED = 0, 1, 130


class Asking:
    """Asks one question; Ctrl-C cancels it where it is worked on."""

    def __init__(self, client: Client, screen: Screen) -> None:
        self._client = client
        self._screen = screen
        self.session_id: str | None = None

    def run(self, question: Question) -> int:
        """Gives the exit code."""
        try:
            return self._follow(question)
        except KeyboardInterrupt:
            self._cancel(question)
            return INTERRUPTED

    def _follow(self, question: Question) -> int:
        for event in self._client.stream(question):
            self._screen.show(event)
            match event:
                case Queued():
                    self.session_id = event.session_id
                case InputRequired():
                    self._say_where(question, event)
                case Failed() | Cancelled():
                    return FAILED
                case Done():
                    return OK
                case _:
                    pass
        return FAILED

    def _say_where(self, question: Question, asked: InputRequired) -> None:
        self._screen.note(asked.message)
        place = _place_from_terminal()
        if place is None:
            self._screen.note(f"going on without in {asked.expires_in_s} s")
            return
        # It may have gone on by itself while somebody typed.
        with contextlib.suppress(ApiError):
            self._client.give_input(self._client.submit(question).job_id, place)

    def _cancel(self, question: Question) -> None:
        """Also before the reply has named the job: asked once more, the same question names it."""
        self._screen.note("cancelling")
        try:
            self._client.cancel(self._client.submit(question).job_id)
        except Eco2Error as error:
            self._screen.note(f"could not cancel: {error}")
        else:
            self._screen.note("cancelled")


def place(text: str) -> Location:
    """`37.56,126.97` as a place; raises ValueError."""
    latitude, _, longitude = text.partition(",")
    return Location(float(latitude), float(longitude))


def _place_from_terminal() -> Location | None:
    while sys.stdin.isatty():
        print("  latitude,longitude (or nothing): ", end="", file=sys.stderr, flush=True)
        text = sys.stdin.readline().strip()
        if not text:
            return None
        with contextlib.suppress(ValueError):
            return place(text)
    return None
