"""A worker's side of a job, played by the test entry by entry."""

from eco2_bus.events import Ended, Problem, Source, Stage, Usage, to_json
from eco2_bus.log import Claim, EventLog, KeptAnswer, TakeOver, TakeOverResult
from eco2_bus.writer import LogWriter, WriteBeat

POISON = to_json(Problem(title="Failed", status=500, detail="It failed too often.", code="job_failed"))
SOURCE = Source(title="페트병", url="https://example.org/pet", document="분리배출 안내", section="플라스틱")
USAGE = Usage(input_tokens=12, output_tokens=34, model="sandbox")


async def take_over(log: EventLog, job_id: str, claim: Claim = Claim.FRESH) -> TakeOver:
    return await log.take_over(job_id, claim, poison_after=3, poison=POISON)


class Worker:
    """The owner of one attempt of one job."""

    def __init__(self, log: EventLog, job_id: str, writer: LogWriter) -> None:
        self.job_id = job_id
        self.log = log
        self.writer = writer
        self.text = ""

    @classmethod
    async def begin(cls, log: EventLog, job_id: str, claim: Claim = Claim.FRESH) -> "Worker":
        taken = await take_over(log, job_id, claim)
        assert taken.result is TakeOverResult.OWNED
        writer = LogWriter(log, WriteBeat(), job_id, taken=taken)
        return cls(log, job_id, writer)

    async def say(self, *pieces: str) -> None:
        """Each piece becomes an entry of its own."""
        for piece in pieces:
            self.text += piece
            self.writer.token(piece)
            await self.writer.flush()

    async def everything_else(self) -> None:
        """One of each entry that is not text."""
        self.writer.event("stage", to_json(Stage(node="intent", status="started")))
        self.writer.event("stage", to_json(Stage(node="intent", status="completed", duration_ms=1.5)))
        self.writer.event("sources", b"[" + to_json(SOURCE) + b"]")
        self.writer.event("usage", to_json(USAGE))
        await self.writer.flush()

    async def end(self, event: str = "done") -> None:
        data = POISON if event == "error" else to_json(self.ended())
        summary = await self.log.summary(self.job_id)
        kept = KeptAnswer(summary.head.owner, summary.head.session_id, event, data)
        await self.log.keep_answer(self.job_id, kept)
        await self.writer.end(event, data)

    def ended(self) -> Ended:
        return Ended(
            answer=self.text,
            intents=["waste"],
            sources=[SOURCE],
            usage=USAGE,
            attempts=self.writer.attempt,
            duration_ms=7,
        )


async def answer(log: EventLog, job_id: str, *pieces: str, event: str = "done") -> Worker:
    """Takes a queued job and answers it."""
    worker = await Worker.begin(log, job_id)
    await worker.say(*pieces)
    await worker.end(event)
    return worker
