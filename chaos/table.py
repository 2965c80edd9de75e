"""What a run is summed up to, in the manner of Jepsen: the account of all jobs, and recovery by fault."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from chaos.faults import Happened
from chaos.ledger import Asked, Ledger
from chaos.verdict import Verdict, is_exhausted


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
    lost: int = 0
    doubled: int = 0
    misordered: int = 0
    foreign: int = 0

    @property
    def is_clean(self) -> bool:
        """True when the last four are zero."""
        return not (self.lost or self.doubled or self.misordered or self.foreign)


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
        for fault in ("lost", "doubled", "misordered", "foreign"):
            setattr(account, fault, getattr(account, fault) + bool(getattr(verdict, fault)))
    return account


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
