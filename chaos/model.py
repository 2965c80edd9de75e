"""A model server that answers a question of ours with its one right answer, at the pace that it asks for.

It is the simulator of `bench` with other words, so it understands the same calls.
"""

import argparse

import uvloop

from bench import simulator
from bench.model_replies import ChunkFrame
from bench.pace import Pace
from bench.simulator import TokenStream
from chaos.question import Question

_POISON_WORDS = 5


class AnswerFrame(ChunkFrame):
    """The words of one answer as chunks."""

    def __init__(self, question: Question, model: str, with_usage: bool) -> None:
        super().__init__(model, with_usage)
        self._question = question

    def token(self, index: int, due_ns: int) -> bytes:
        """The word of this number."""
        return self._said(self._question.word(index).encode(), index)

    def end(self, tokens: int) -> bytes:
        """Nothing behind poison: a stream without its end is one that broke off."""
        return b"" if self._question.kind == "poison" else super().end(tokens)


class Connection(simulator.Connection):
    """One connection of a worker's."""

    def stream_of(self, model: str, body: bytes, with_usage: bool) -> TokenStream:
        """The answer to the question that is asked last in a call's body."""
        question = Question.find(body.decode())
        if question is None:
            return super().stream_of(model, body, with_usage)
        words = min(question.words, _POISON_WORDS) if question.kind == "poison" else question.words
        pace = Pace(words, question.first_word_ms, question.word_ms)
        return TokenStream(self, pace, AnswerFrame(question, model, with_usage))


async def _serve_for_ever(port: int) -> None:
    server = await simulator.serve("127.0.0.1", port, Connection)
    await server.serve_forever()


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m chaos.model", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(_serve_for_ever(parser.parse_args().port))


if __name__ == "__main__":
    main()
