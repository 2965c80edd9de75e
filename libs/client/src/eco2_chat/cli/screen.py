"""What the terminal shows of an answer: text on standard output, everything else on standard error."""

import sys
from typing import TextIO

from eco2_chat.answer import Listener
from eco2_chat.events import Done, Event, Failed, Gap, Image, Reset, Source, Stage, Token

_CONTROL = dict.fromkeys((*range(9), *range(11, 32), 127, *range(128, 160)))


def printable(text: str) -> str:
    """Text of others without what would steer the terminal."""
    return text.translate(_CONTROL)


class Screen:
    """Shows one answer. A pipe gets the text at the end, once and whole: it can take nothing back."""

    def __init__(
        self, *, shows_progress: bool | None = None, out: TextIO = sys.stdout, err: TextIO = sys.stderr
    ) -> None:
        self._out = out
        self._err = err
        self._streams = out.isatty()
        self._shows_progress = err.isatty() if shows_progress is None else shows_progress
        self._heard = Listener()

    def show(self, event: Event) -> None:
        """Takes one event."""
        self._heard.hear(event)
        match event:
            case Token(text) if self._streams:
                print(printable(text), end="", file=self._out, flush=True)
            case Reset() | Gap():
                self._note("the answer begins anew")
            case Stage(node, status, duration_ms):
                took = "" if duration_ms is None else f" {duration_ms:.0f} ms"
                self._progress(f"{node} {status}{took}")
            case Image(url, alt):
                self._note(f"picture: {printable(alt)} {url}")
            case Failed(code, _, detail):
                self._note(f"{code}: {printable(detail)}")
            case Done():
                self._end(event)
            case _:
                pass

    def note(self, text: str) -> None:
        """Says something beside the answer."""
        self._note(text)

    def _end(self, end: Done) -> None:
        print("" if self._streams else printable(end.answer), file=self._out, flush=True)
        named = [(f"[{number}]", source) for number, source in enumerate(end.sources, 1)]
        for name, source in [pair for pair in named if pair[0] in end.answer] or named:
            self._note(f"{name} {_cited(source)}")
        if end.sample_data:
            self._note("sample data: a stand-in model answered")

    def _progress(self, text: str) -> None:
        if self._shows_progress:
            self._note(text)

    def _note(self, text: str) -> None:
        # Not into the middle of a line of the answer.
        broken = "\n" if self._streams and self._heard.text and not self._heard.text.endswith("\n") else ""
        print(f"{broken}· {text}", file=self._err, flush=True)


def _cited(source: Source) -> str:
    parts = (source.document, source.section, f"({source.revised or 'undated'})", source.url or "")
    return printable(" ".join(part for part in parts if part))
