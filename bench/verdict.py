"""What became of the tokens of one stream: lost, doubled, out of order, how late."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from bench.http_stream import Chunk
from bench.model_stream import ContentReader

Text = tuple[int, str]


@dataclass
class Verdict:
    """The tokens of one stream, judged; `delays_ns` has one entry per token that arrived."""

    expected: int
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    foreign: int = 0
    first_at_ns: int = 0
    last_at_ns: int = 0
    delays_ns: list[int] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        """Every token once, in order, and nothing else."""
        return not (self.lost or self.doubled or self.reordered or self.foreign)


def judge(texts: Iterable[Text], expected: int) -> Verdict:
    """Read the simulator's tokens out of texts with their arrival times, however they were cut or joined."""
    verdict, seen, highest, tail = Verdict(expected), set[int](), -1, ""
    for at_ns, text in texts:
        *tokens, tail = (tail + text).split("|")
        for token in tokens:
            index, due = _read(token)
            if index is None or index >= expected:
                verdict.foreign += 1
                continue
            if index in seen:
                verdict.doubled += 1
            elif index < highest:
                verdict.reordered += 1
            seen.add(index)
            highest = max(highest, index)
            verdict.delays_ns.append(at_ns - due)
            verdict.first_at_ns = verdict.first_at_ns or at_ns
            verdict.last_at_ns = at_ns
    verdict.lost = expected - len(seen)
    verdict.foreign += bool(tail)
    return verdict


def _read(token: str) -> tuple[int | None, int]:
    index, _, due = token.partition(":")
    return (int(index), int(due)) if index.isdecimal() and due.isdecimal() else (None, 0)


def model_texts(chunks: Iterable[Chunk]) -> list[Text]:
    """The texts of an OpenAI stream."""
    reader = ContentReader()
    return [(at_ns, text) for at_ns, data in chunks for text in reader.feed(data)]


def chat_texts(chunks: Iterable[Chunk]) -> list[Text]:
    """The answer's texts of a chat event stream; raises ValueError unless it ends with `done` and agrees."""
    texts: list[Text] = []
    event, data = "", b""
    for at_ns, event, data in _events(chunks):
        if event == "token":
            texts.append((at_ns, orjson.loads(data)["text"]))
        elif event == "reset":
            texts.clear()
    if event != "done":
        raise ValueError(f"the stream ends with {event!r}: {data[:300]!r}")
    answer = orjson.loads(data).get("answer")
    if answer is not None and answer != "".join(text for _, text in texts):
        raise ValueError("the answer in `done` is not the text that was streamed")
    return texts


def understanding_ms(chunks: Iterable[Chunk]) -> float:
    """How long the model was asked what the question means, as the product's `intent` stage tells; else 0."""
    stages = (orjson.loads(data) for _, event, data in _events(chunks) if event == "stage")
    return sum(stage.get("duration_ms", 0.0) for stage in stages if stage["node"] == "intent")


def _events(chunks: Iterable[Chunk]) -> Iterable[tuple[int, str, bytes]]:
    tail = b""
    for at_ns, data in chunks:
        # A CRLF cut in two stays in the tail as a lone CR until its other half comes.
        *blocks, tail = (tail + data).replace(b"\r\n", b"\n").split(b"\n\n")
        for block in blocks:
            fields = {name: value for name, _, value in (line.partition(b":") for line in block.split(b"\n"))}
            if b"data" in fields:
                yield at_ns, fields.get(b"event", b"message").strip().decode(), fields[b"data"]
