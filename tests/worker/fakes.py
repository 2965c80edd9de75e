"""A model, a guide and a store that do as a test tells them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from chat_worker.domain import JsonSchema, Message, Passage, TokenUsage
from chat_worker.ports import Evidence, StreamEnd
from eco2_bus.log import Append, Claim, KeptAnswer, LogTop, LogUnavailable, TakeOver
from eco2_bus.memory import MemoryDelivery, MemoryEventLog, MemoryJobQueue, _Message

MODEL = "fake-model"


def question_in(messages: Sequence[Message]) -> str:
    """The question that a prompt's last message holds."""
    last = messages[-1]["content"]
    return orjson.loads(last.rpartition("<question>\n")[2].removesuffix("\n</question>"))


def findings_in(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The findings that an answer's prompt holds."""
    return orjson.loads(messages[-1]["content"].removeprefix("<findings>\n").partition("\n</findings>")[0])


def answer_to(question: str) -> str:
    """What the fake model answers: nobody else's question has this answer."""
    return f"'{question}'에 대한 답이에요: 비우고 헹궈서 버려요 ♻️"


class FakeModel:
    """Answers each question with its own text; can be held between two words, and can fail there."""

    def __init__(self) -> None:
        self.intents: dict[str, list[tuple[str, str]]] = {}
        """For a question, its intents with their sub-questions; one of waste otherwise."""
        self.entities: dict[str, dict[str, str]] = {}
        """For a sub-question, the entities that it names."""
        self.names: dict[str, list[str]] = {}
        """For a sub-question, what else its thing is called."""
        self.no_names: Exception | None = None
        """Raised instead of giving any."""
        self.confidence = 0.9
        self.replies: list[str] = []
        """Structured replies to give word for word, before any other."""
        self.answers: dict[str, str] = {}
        self.faults: list[Exception | None] = []
        """One per stream, raised at the hold."""
        self.hold_after: int | None = None
        """Pieces of the answer that are said before the stream waits for `go_on`."""
        self.hold_understanding = False
        self.held = asyncio.Event()
        self.go_on = asyncio.Event()
        self.asked: list[list[Message]] = []
        self.prompts: list[list[Message]] = []
        self.closed_early = 0
        self.finished = 0
        self.finish_reason: Any = "stop"

    async def structured(
        self, messages: Sequence[Message], name: str, schema: JsonSchema
    ) -> tuple[str, TokenUsage]:
        self.asked.append(list(messages))
        if self.hold_understanding:
            await self._hold()
        usage = TokenUsage(input_tokens=100, output_tokens=10, model=MODEL)
        if self.replies:
            return self.replies.pop(0), usage
        question = question_in(messages)
        if name == "Rewording":
            if self.no_names is not None:
                raise self.no_names
            return orjson.dumps({"names": self.names.get(question, [])}).decode(), usage
        wishes = self.intents.get(question, [("waste", question)])
        intents = [
            {"intent": intent, "confidence": self.confidence, "question": sub, **self.entities.get(sub, {})}
            for intent, sub in wishes
        ]
        return orjson.dumps({"language": "ko", "intents": intents}).decode(), usage

    async def stream(self, messages: Sequence[Message], on_text: Callable[[str, int], bool]) -> StreamEnd:
        self.prompts.append(list(messages))
        fault = self.faults.pop(0) if self.faults else None
        question = question_in(messages)
        text = self.answers.get(question, answer_to(question))
        pieces = [text[at : at + 3] for at in range(0, len(text), 3)]
        for said, piece in enumerate(pieces):
            if said == (self.hold_after if self.hold_after is not None else 3):
                if self.hold_after is not None:
                    await self._hold()
                if fault is not None:
                    raise fault
            if not on_text(piece, 1):
                return StreamEnd(self._usage(said + 1), "length")
            await asyncio.sleep(0)
        if self.hold_after is not None and self.hold_after >= len(pieces):
            await self._hold()
        self.finished += 1
        return StreamEnd(self._usage(len(pieces)), self.finish_reason)

    async def _hold(self) -> None:
        self.held.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.closed_early += 1
            raise

    def _usage(self, said: int) -> TokenUsage:
        return TokenUsage(input_tokens=200, output_tokens=said, model=MODEL)


class FakeGuide:
    """Knows two passages about everything that is not `unknown`."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def find(self, question: str) -> Evidence:
        self.asked.append(question)
        if "모르는" in question:
            return Evidence([], is_named=False)
        return Evidence(
            [passage(question, part) for part in ("분리", "배출")], is_named="비슷한" not in question
        )


def passage(question: str, part: str) -> Passage:
    """A passage that says what it was found for."""
    return Passage(
        title=question, section=part, text=f"{question}: {part}", document="안내", url=None, revised=None
    )


class SpyLog(MemoryEventLog):
    """Notes what is written; can be away, and can hold back the answer to the last write."""

    def __init__(self, steps: list[str] | None = None) -> None:
        super().__init__()
        self.steps: list[str] = [] if steps is None else steps
        self.away_for: int | None = None
        """This many calls fail."""
        self.loses_replies = False
        """What fails has been done all the same."""
        self.hold_end = False
        self.end_written = asyncio.Event()
        self.end_may_land = asyncio.Event()

    def _is_away(self) -> bool:
        if not self.away_for:
            return False
        self.away_for -= 1
        return True

    async def take_over(self, job_id: str, claim: Claim, **options: Any) -> TakeOver:
        if self._is_away():
            if self.loses_replies:
                await super().take_over(job_id, claim, **options)
            raise LogUnavailable("away")
        return await super().take_over(job_id, claim, **options)

    async def end(
        self, job_id: str, event: str, data: bytes, *, only_if_idle: bool = False, usage: bytes = b""
    ) -> TakeOver:
        if self._is_away():
            raise LogUnavailable("away")
        return await super().end(job_id, event, data, only_if_idle=only_if_idle, usage=usage)

    def append(self, write: Append) -> "asyncio.Future[int | LogTop]":
        answer: asyncio.Future[int | LogTop] = asyncio.get_running_loop().create_future()
        if self._is_away():
            answer.set_exception(LogUnavailable("away"))
            return answer
        landed = super().append(write)
        self.steps += [event for event, _ in write.entries]
        if not (write.is_last and self.hold_end):
            return landed
        self.end_written.set()
        self._held = asyncio.create_task(self._land_later(landed, answer))
        return answer

    async def _land_later(
        self, landed: "asyncio.Future[int | LogTop]", answer: "asyncio.Future[int | LogTop]"
    ) -> None:
        await self.end_may_land.wait()
        answer.set_result(await landed)

    async def is_cancel_requested(self, job_id: str) -> bool:
        if self._is_away():
            raise LogUnavailable("away")
        return await super().is_cancel_requested(job_id)

    async def keep_answer(self, job_id: str, answer: KeptAnswer) -> None:
        self.steps.append("kept")
        if self._is_away():
            raise LogUnavailable("away")
        await super().keep_answer(job_id, answer)


class LateLog(SpyLog):
    """The same logs as seen by a worker whose writes take until `on_time` is set again."""

    def __init__(self, same: SpyLog) -> None:
        super().__init__()
        self.__dict__.update(same.__dict__)
        self.on_time = asyncio.Event()
        self.on_time.set()
        self._late: set[asyncio.Task[None]] = set()

    def append(self, write: Append) -> "asyncio.Future[int | LogTop]":
        answer: asyncio.Future[int | LogTop] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._write_late(write, answer))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return answer

    async def _write_late(self, write: Append, answer: "asyncio.Future[int | LogTop]") -> None:
        await self.on_time.wait()
        answer.set_result(await super().append(write))


class SpyQueue(MemoryJobQueue):
    """Notes when a delivery is settled."""

    def __init__(self, steps: list[str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.steps: list[str] = [] if steps is None else steps

    @property
    def on_loan(self) -> list[MemoryDelivery]:
        """The deliveries that are not settled."""
        return list(self._lent)

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return sum(len(waiting) for waiting in self._ready.values())

    def settle(self, delivery: MemoryDelivery) -> bool:
        is_settled = super().settle(delivery)
        self.steps.append("settled" if is_settled else "settled again")
        return is_settled

    def put_raw(self, job_id: str, body: bytes) -> None:
        """Queues a message with any body."""
        self.put(_Message(job_id, body, {}))

    def take_back_all(self) -> None:
        """Every lease ends now, as when the broker loses its consumers."""
        for delivery in list(self._lent):
            self._take_back(delivery)
