"""The account sees what it is there for: lost, doubled, misordered and foreign bytes."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from chaos.ledger import Asked, View
from chaos.question import Question
from chaos.verdict import judge

QUESTION = Question("q1", words=4)
Event = tuple[str, str, Any]


def told(words: list[str], end: str = "done", answer: str | None = None, attempt: int = 1) -> list[Event]:
    """A log as a viewer sees it, one word an entry."""
    texts = [(f"{attempt}-{seq}", "token", {"text": word}) for seq, word in enumerate(words, 2)]
    ended = {"answer": "".join(words) if answer is None else answer}
    first: list[Event] = [("0-1", "queued", {"job_id": "j1"}), (f"{attempt}-1", "started", {})]
    return [*first, *texts, (f"{attempt}-{len(words) + 2}", end, ended)]


def asked(*views: list[Event], **status: Any) -> Asked:
    """A job whose status is what its right answer makes it, unless told otherwise."""
    job = Asked(QUESTION, "q1", job_ids=["j1"], status={"status": "done", "answer": QUESTION.answer} | status)
    job.views = [View(f"viewer {n}", events=list(events)) for n, events in enumerate(views)]
    return job


WORDS = [QUESTION.word(number) for number in range(4)]
RESET: Event = ("2-1", "reset", {"attempt": 2})


def test_two_viewers_of_a_whole_answer_leave_nothing_to_say() -> None:
    assert judge(asked(told(WORDS), told(WORDS))).is_clean


def test_the_text_before_a_reset_does_not_count() -> None:
    again = [RESET, *told(WORDS, attempt=2)[2:]]
    assert judge(asked([*told(WORDS)[:-1], *again])).is_clean


Change = Callable[[list[Event]], list[Event]]
FAULTS: dict[str, tuple[str, Change]] = {
    "no end": ("lost", lambda log: log[:-1]),
    "a word that never came": ("lost", lambda log: [*log[:3], *log[4:]]),
    "an end with another answer": ("lost", lambda log: [*log[:-1], ("1-6", "done", {"answer": "?" * 99})]),
    "an entry twice": ("doubled", lambda log: [*log[:4], log[3], *log[4:]]),
    "a word twice under two ids": ("doubled", lambda log: told([*WORDS[:2], *WORDS[1:]])),
    "two ends": ("doubled", lambda log: [*log, ("2-1", "error", {"code": "x"})]),
    "an id that steps back": ("misordered", lambda log: [*log[:2], log[3], log[2], *log[4:]]),
    "words that changed places": ("misordered", lambda log: told([WORDS[1], WORDS[0], *WORDS[2:]])),
    "a word of another answer": ("foreign", lambda log: told(["q2.0 ", *WORDS[1:]])),
    "half a word": ("foreign", lambda log: told([*WORDS[:3], "q1."])),
    "a word beyond the end": ("foreign", lambda log: told([*WORDS, "q1.4 "])),
    "another job's first event": ("foreign", lambda log: [("0-1", "queued", {"job_id": "j2"}), *log[1:]]),
    "a foreign word before a reset": (
        "foreign",
        lambda log: [*told(["q2.0 "])[:-1], RESET, *told(WORDS, attempt=2)[2:]],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_one_of_two_views_is_found_for_what_it_is(fault: str) -> None:
    column, change = FAULTS[fault]
    verdict = judge(asked(told(WORDS), change(told(WORDS))))
    assert getattr(verdict, column)


def test_an_id_that_tells_two_viewers_two_things_was_used_twice() -> None:
    other = [(i, e, {"node": "answer"} if e == "started" else data) for i, e, data in told(WORDS)]
    assert judge(asked(told(WORDS), other)).doubled


def test_an_entry_that_only_one_viewer_saw_is_lost() -> None:
    whole = told(WORDS)
    with_more = [whole[0], ("0-2", "stage", {}), *whole[1:]]
    verdict = judge(asked(whole, with_more))
    assert verdict.lost == ["viewer 0: never saw ['0-2']"]


def test_an_accepted_job_that_nobody_knows_of_is_lost() -> None:
    assert judge(asked(status="", answer=None)).lost
    assert judge(asked(status="running", answer=None)).lost


def test_an_answer_that_is_stored_otherwise_than_it_was_shown_is_lost() -> None:
    assert judge(asked(told(WORDS), answer="q1.0 ")).lost


def test_viewers_that_saw_different_ends_saw_two() -> None:
    assert judge(asked(told(WORDS), told(WORDS[:2], "cancelled"))).doubled


def test_one_key_that_made_two_jobs_made_a_double() -> None:
    job = asked(told(WORDS))
    job.job_ids.append("j2")
    assert judge(job).doubled


def test_a_cancel_needs_someone_who_asked_for_it() -> None:
    job = asked(told(WORDS[:2], "cancelled"), status="cancelled", answer="".join(WORDS[:2]))
    assert judge(job).lost
    job.is_cancel_asked = True
    assert judge(job).is_clean


def test_a_job_whose_attempts_all_failed_is_in_the_dead_letter_queue() -> None:
    error = {"code": "attempts_exhausted"}
    job = asked([*told(WORDS[:2])[:-1], ("4-1", "error", error)], status="error", error=error)
    assert judge(job).lost
    job.is_dead_letter = True
    assert judge(job).is_clean


@pytest.mark.parametrize(
    ("end", "code"), [("error", "internal_error"), ("error", "deadline_exceeded"), ("done", None)]
)
def test_poison_ends_when_all_attempts_have_failed_and_not_otherwise(end: str, code: str | None) -> None:
    job = asked(status=end, error={"code": code})
    job.question = Question("q1", words=4, kind="poison")
    assert f"poison ended as {code or end}" in judge(job).lost


def test_poison_that_its_user_cancelled_in_time_is_fine() -> None:
    job = asked(told([], "cancelled"), status="cancelled", answer="")
    job.question, job.is_cancel_asked = Question("q1", words=4, kind="poison"), True
    assert judge(job).is_clean


def test_an_answered_job_that_lies_in_the_dead_letters_could_be_answered_twice() -> None:
    job = asked(told(WORDS))
    job.is_dead_letter = True
    assert judge(job).doubled


def test_a_gap_is_honest_only_after_a_failover() -> None:
    job = asked(told(WORDS))
    (view,) = job.views
    view.gaps = [time.monotonic()]
    assert judge(job).lost
    assert judge(job, failovers=[time.monotonic() - 1]).is_clean


def test_a_gap_of_a_job_that_came_after_the_failover_is_not_honest() -> None:
    job = asked(told(WORDS))
    job.accepted_at, job.views[0].gaps = 100, [130]
    assert judge(job, failovers=[80]).lost
    assert judge(job, failovers=[80, 110]).is_clean


def test_what_a_gap_takes_back_is_replayed_without_counting_twice() -> None:
    job = asked(told(WORDS)[:4])
    (view,) = job.views
    view.see("", "gap", {"requested": "1-3", "resumed_from": "0-1"})
    for event in told(WORDS):
        view.see(*event)
    assert judge(job, failovers=[view.gaps[0] - 1]).is_clean
