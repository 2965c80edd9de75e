"""Judges one job by what its viewers saw: lost, doubled, misordered, or another job's bytes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.ledger import TERMINAL, Asked, View
from chaos.question import Question

GAP_WITHIN_S = 60.0
"""A gap is an honest answer only to a viewer that comes back soon after a failover."""

_WORD = re.compile(r"([a-z0-9]+)\.(\d+)(~*)")


@dataclass
class Verdict:
    """What is wrong with a job, in words; nothing in any list of a job that is right."""

    lost: list[str] = field(default_factory=list[str])
    doubled: list[str] = field(default_factory=list[str])
    misordered: list[str] = field(default_factory=list[str])
    foreign: list[str] = field(default_factory=list[str])

    @property
    def is_clean(self) -> bool:
        """True when nothing is wrong."""
        return not (self.lost or self.doubled or self.misordered or self.foreign)


def judge(job: Asked, failovers: Sequence[float] = ()) -> Verdict:
    """Hold a job that was accepted to the contract; `failovers` are the moments when entries may be lost."""
    verdict = Verdict()
    if len(set(job.job_ids)) > 1:
        verdict.doubled.append(f"one idempotency key, several jobs: {sorted(set(job.job_ids))}")
    if job.state not in TERMINAL:
        verdict.lost.append(f"the status call says {job.state or 'nothing'!r}")
    for view in job.views:
        _judge_ids(job, view, verdict)
        _judge_gaps(job, view, failovers, verdict)
        _judge_text(job, view, verdict)
    _judge_agreement(job.views, verdict)
    _judge_end(job, verdict)
    return verdict


def _order(event_id: str) -> tuple[int, int]:
    attempt, seq = event_id.split("-")
    return int(attempt), int(seq)


def _judge_ids(job: Asked, view: View, verdict: Verdict) -> None:
    if not view.has_ended:
        verdict.lost.append(f"{view.name}: saw no end, last {view.last_id}")
    ends = [event for _, event, _ in view.events if event in TERMINAL]
    if len(ends) > 1:
        verdict.doubled.append(f"{view.name}: ended as {ends}")
    seen: set[str] = set()
    top = (-1, 0)
    for event_id, _, _ in view.events:
        if event_id in seen:
            verdict.doubled.append(f"{view.name}: {event_id} twice")
        elif _order(event_id) < top:
            verdict.misordered.append(f"{view.name}: {event_id} after {top[0]}-{top[1]}")
        seen.add(event_id)
        top = max(top, _order(event_id))
    for _, event, data in view.events:
        if event == "queued" and data["job_id"] != job.job_id:
            verdict.foreign.append(f"{view.name}: queued of job {data['job_id']}")


def _judge_gaps(job: Asked, view: View, failovers: Sequence[float], verdict: Verdict) -> None:
    # What was accepted after a failover has lost nothing with it.
    near = [failover for failover in failovers if job.accepted_at <= failover]
    for at in view.gaps:
        if not any(0 <= at - failover <= GAP_WITHIN_S for failover in near):
            verdict.lost.append(f"{view.name}: a gap, and no failover was near")


def _judge_text(job: Asked, view: View, verdict: Verdict) -> None:
    taken_back = View("", events=view.taken_back).texts
    for text in (*taken_back, *view.texts):
        if (alien := _alien(text, job.question)) is not None:
            verdict.foreign.append(f"{view.name}: {alien!r}")
            return
    text = view.texts[-1]
    numbers = [int(word.partition(".")[2].rstrip("~")) for word in text.split(" ")[:-1]]
    whole = set(range(job.question.words)) if view.end == "done" else set(range(max(numbers, default=-1) + 1))
    if missing := whole - set(numbers):
        verdict.lost.append(f"{view.name}: words {_few(missing)}")
    if len(set(numbers)) < len(numbers):
        verdict.doubled.append(f"{view.name}: words {_few({n for n in numbers if numbers.count(n) > 1})}")
    if numbers != sorted(numbers):
        verdict.misordered.append(f"{view.name}: words out of order")
    if view.end in ("done", "cancelled") and (answer := view.events[-1][2]["answer"]) != text:
        fault = verdict.lost if len(text) < len(answer) else verdict.doubled
        fault.append(f"{view.name}: {len(text)} characters shown, {len(answer)} in {view.end}")


def _judge_agreement(views: Sequence[View], verdict: Verdict) -> None:
    """What one viewer was told under an id, every other one was told as well, now and later."""
    told: dict[str, tuple[str, Any]] = {}
    for view in views:
        for event_id, event, data in view.events:
            if told.setdefault(event_id, (event, data)) != (event, data):
                verdict.doubled.append(f"{view.name}: {event_id} is not what another viewer was told")
    for view in views:
        if view.end and (missing := told.keys() - {event_id for event_id, _, _ in view.events}):
            verdict.lost.append(f"{view.name}: never saw {sorted(missing, key=_order)[:5]}")


def _alien(text: str, question: Question) -> str | None:
    """The first word that is none of this answer's, or None."""
    *words, rest = text.split(" ")
    for word in words:
        found = _WORD.fullmatch(word)
        if found is None or found[1] != question.tag or len(found[3]) != question.padding:
            return word[:80]
        if int(found[2]) >= question.words:
            return word[:80]
    return rest[:80] or None


def _judge_end(job: Asked, verdict: Verdict) -> None:
    ends = {view.end for view in job.views if view.end} | ({job.state} & set(TERMINAL))
    if len(ends) > 1:
        verdict.doubled.append(f"ended as {sorted(ends)}")
    answers = {view.events[-1][2].get("answer") for view in job.views if view.end}
    if job.state in ("done", "cancelled") and answers - {job.status.get("answer")}:
        verdict.lost.append("the stored answer is another one than was shown")
    if job.state == "done" and job.status.get("answer") != job.question.answer:
        verdict.lost.append("the stored answer is not the right one")
    if job.question.kind == "poison" and not (is_exhausted(job) or job.state == "cancelled"):
        verdict.lost.append(f"poison ended as {_ended_as(job)}")
    if job.state == "cancelled" and not job.is_cancel_asked:
        verdict.lost.append("cancelled, and nobody asked for it")
    if is_exhausted(job) and not job.is_dead_letter:
        verdict.lost.append("all attempts failed, and it is not in the dead-letter queue")
    if job.state == "done" and job.is_dead_letter:
        verdict.doubled.append("it was answered, and a replay of its dead letter would answer it again")


def is_exhausted(job: Asked) -> bool:
    """True for a job whose attempts all failed: it is to lie in the dead-letter queue."""
    return job.state == "error" and job.status.get("error", {}).get("code") == "attempts_exhausted"


def _ended_as(job: Asked) -> str:
    return job.status.get("error", {}).get("code") or job.state or "nothing"


def _few(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)[:8])) + (" ..." if len(numbers) > 8 else "")
