"""The tables say what the ledger holds."""

import pytest

from chaos.faults import FAULTS, Happened
from chaos.ledger import Asked, Ledger
from chaos.question import Question
from chaos.table import Account, account_of, account_table, recovery_table, summed_up
from chaos.verdict import Verdict


def ended(tag: str, accepted_at: float, ended_at: float, **status: object) -> Asked:
    return Asked(
        Question(tag, 1),
        tag,
        job_ids=[tag],
        accepted_at=accepted_at,
        ended_at=ended_at,
        status={"status": "done"} | status,
    )


def test_every_job_is_counted_by_its_end_and_by_each_fault_once() -> None:
    ledger = Ledger()
    poison = ended("b", 1, 2, status="error", error={"code": "attempts_exhausted"})
    ledger.asked = [
        ended("a", 1, 2),
        poison,
        ended("c", 1, 2, status="cancelled"),
        Asked(Question("d", 1), "d"),
    ]
    verdicts = [(job, Verdict()) for job in ledger.accepted]
    verdicts[0] = (verdicts[0][0], Verdict(lost=["x", "y"], foreign=["z"]))
    account = account_of(ledger, verdicts)
    figures = (
        account.attempted,
        account.accepted,
        account.completed,
        account.cancelled,
        account.dead_lettered,
    )
    assert figures == (4, 3, 1, 1, 1)
    assert (account.lost, account.doubled, account.misordered, account.foreign) == (1, 0, 0, 1)
    assert not account.is_clean
    names, values = (line.split("|") for line in account_table(account).splitlines())
    assert [name.strip() for name in names[-4:]] == ["lost", "doubled", "misordered", "foreign bytes"]
    assert [int(value) for value in values[-4:]] == [1, 0, 0, 1]


def test_a_plain_question_that_ends_with_any_error_had_an_answer_and_poison_had_none() -> None:
    ledger = Ledger()
    ledger.asked = [
        ended("a", 1, 2, status="error", error={"code": "attempts_exhausted"}),
        ended("b", 1, 2, status="error", error={"code": "internal_error"}),
        Asked(Question("c", 1, kind="poison"), "c", job_ids=["c"], status={"status": "error", "error": {}}),
    ]
    assert account_of(ledger, [(job, Verdict()) for job in ledger.accepted]).unanswered == 2


@pytest.mark.parametrize(
    ("accepted", "unanswered", "fails"),
    [(300, 300, True), (300, 4, True), (300, 3, False), (60, 3, True), (60, 2, False)],
)
def test_few_questions_may_be_left_without_an_answer(accepted: int, unanswered: int, fails: bool) -> None:
    account = Account(accepted=accepted, completed=1, unanswered=unanswered)
    has_failed, verdict = summed_up(account, [], 1)
    assert (has_failed, f"FAILED: {unanswered} questions" in verdict) == (fails, fails)


def test_a_fault_that_never_came_is_named_and_fails_a_long_run() -> None:
    account = Account(accepted=9, completed=9)
    assert summed_up(account, [], 5) == (False, "nothing lost, doubled, misordered or foreign")
    for minutes, fails in ((1, False), (5, True)):
        has_failed, verdict = summed_up(account, ["poison jobs", "Redis kill"], minutes)
        assert has_failed is fails
        assert verdict.endswith(": poison jobs, Redis kill")


def test_a_run_that_lost_something_or_answered_nothing_fails() -> None:
    assert summed_up(Account(accepted=9, completed=9, lost=1), [], 1)[0]
    assert summed_up(Account(accepted=9, cancelled=9), [], 1)[0]


def test_recovery_is_the_longest_of_a_kind_from_the_fault_to_the_next_end() -> None:
    fault, other = FAULTS[:2]
    ledger = Ledger()
    ledger.asked = [ended("a", 5, 12.5), ended("b", 5, 31), ended("c", 14, 22)]
    table = recovery_table([Happened(fault, 10), Happened(fault, 20)], [fault.name, other.name], ledger)
    _, first, second = table.splitlines()
    assert [cell.strip() for cell in first.split("|")] == [fault.name, "2", "2.5", "21.0"]
    assert [cell.strip() for cell in second.split("|")] == [other.name, "0", "-", "-"]
