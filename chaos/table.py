"""What a run is summed up to, in the manner of Jepsen: the account of all jobs, and recovery by fault."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from chaos.faults import Happened
from chaos.ledger import Asked, Ledger
from chaos.schedule import BRIEF_UNTIL_MINUTES
from chaos.verdict import Verdict, is_exhausted

UNANSWERED_SHARE = 0.01
UNANSWERED_MAX = 2
"""Of a run with so few jobs that one in a hundred is none."""


@dataclass
class Account:
    """What became of all that was asked."""

    attempted: int = 0
    accepted: int = 0
    completed: int = 0
    cancelled: int = 0
    dead_lettered: int = 0
    failed: int = 0
    """Ended with any other error."""
    unanswered: int = 0
    """Ended with an error of either kind, and had an answer."""
    lost: int = 0
    doubled: int = 0
    misordered: int = 0
    foreign: int = 0

    @property
    def is_clean(self) -> bool:
        """True when the last four are zero."""
        return not (self.lost or self.doubled or self.misordered or self.foreign)

    @property
    def answers_nearly_all(self) -> bool:
        """True when no more are unanswered than have met three faults in a row."""
        return self.unanswered <= max(UNANSWERED_MAX, self.accepted * UNANSWERED_SHARE)


_TITLES = {"dead_lettered": "dead-lettered", "foreign": "foreign bytes"}


def account_of(ledger: Ledger, verdicts: Sequence[tuple[Asked, Verdict]]) -> Account:
    """Count jobs, each once a column."""
    account = Account(attempted=len(ledger.asked))
    for job, verdict in verdicts:
        account.accepted += 1
        account.completed += job.state == "done"
        account.cancelled += job.state == "cancelled"
        account.dead_lettered += is_exhausted(job)
        account.failed += job.state == "error" and not is_exhausted(job)
        account.unanswered += job.state == "error" and job.question.kind != "poison"
        for fault in ("lost", "doubled", "misordered", "foreign"):
            setattr(account, fault, getattr(account, fault) + bool(getattr(verdict, fault)))
    return account


def summed_up(account: Account, missed: Sequence[str], minutes: float) -> tuple[bool, str]:
    """Whether a run fails, and its verdict in words; a brief one may miss faults, and says so."""
    if not account.is_clean or not account.completed:
        return True, "FAILED"
    if not account.answers_nearly_all:
        return True, f"FAILED: {account.unanswered} questions that had an answer ended with an error"
    words = "nothing lost, doubled, misordered or foreign"
    if not missed:
        return False, words
    did_not_come = f"not tried, for want of time or of an earlier commit: {', '.join(missed)}"
    is_brief = minutes < BRIEF_UNTIL_MINUTES
    return not is_brief, f"{words}; {did_not_come}" if is_brief else f"FAILED: {did_not_come}"


def account_table(account: Account) -> str:
    """One line of names, one of figures."""
    figures = {_TITLES.get(name, name): str(figure) for name, figure in asdict(account).items()}
    widths = [max(len(name), 6) for name in figures]
    rows = (figures.keys(), figures.values())
    return "\n".join(
        " | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )


def recovery_table(happened: Sequence[Happened], names: Sequence[str], ledger: Ledger) -> str:
    """By kind of fault: how often, and the longest waits after it, in seconds.

    `next end` is until any job ended; `last under way` until all had that were under way at that moment.
    """
    lines = [f"{'fault':<36} | times | next end, s | last under way, s"]
    times = Counter(one.fault.name for one in happened)
    for name in names:
        waits = [_waits(one.since, ledger) for one in happened if one.fault.name == name]
        nexts = [wait for wait, _ in waits if wait is not None]
        lasts = [wait for _, wait in waits if wait is not None]
        longest = " | ".join((_seconds(nexts).rjust(11), _seconds(lasts).rjust(17)))
        lines.append(f"{name:<36} | {times[name]:>5} | {longest}")
    return "\n".join(lines)


def _waits(since: float, ledger: Ledger) -> tuple[float | None, float | None]:
    ended = [job for job in ledger.accepted if job.ended_at > since]
    if not ended:
        return None, None
    under_way = [job.ended_at - since for job in ended if job.accepted_at <= since]
    return min(job.ended_at for job in ended) - since, max(under_way, default=None)


def _seconds(waits: Sequence[float]) -> str:
    return f"{max(waits):.1f}" if waits else "-"
