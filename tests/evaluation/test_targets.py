"""Which results pass, and what the exit code says of them."""

import pytest

from evaluation.__main__ import conclude
from evaluation.outcome import Figure, Outcome, Part
from evaluation.reply import Reply
from evaluation.run import Results
from evaluation.targets import TARGETS, judge


def outcomes(figure: Figure, right: int, wrong: int, part: Part = "held_out") -> list[Outcome]:
    misses = [""] * right + ["want this | got that"] * wrong
    return [Outcome(figure, part, ("ko",), f"{figure} {n}", miss) for n, miss in enumerate(misses)]


def results(*some: list[Outcome], uses_stand_ins: bool = True) -> Results:
    return Results([one for them in some for one in them], [Reply(model="made-up")], uses_stand_ins, 1.5)


ALL_RIGHT = [outcomes(figure, 20, 0) for figure in Figure]


def test_all_right_is_exit_code_0():
    assert conclude(results(*ALL_RIGHT), is_strict=False) == 0


@pytest.mark.parametrize("figure", TARGETS)
def test_any_one_missed_target_is_exit_code_1(figure: Figure):
    assert conclude(results(*ALL_RIGHT, outcomes(figure, 0, 5)), is_strict=False) == 1


def test_a_target_is_reached_exactly():
    verdicts = {one.figure: one for one in judge(outcomes(Figure.SINGLE, 19, 1))}
    assert verdicts[Figure.SINGLE].seen == 0.95
    assert verdicts[Figure.SINGLE].is_reached


def test_a_target_that_was_not_measured_is_not_reached():
    assert conclude(results(*ALL_RIGHT[1:]), is_strict=False) == 1


def test_misses_in_the_tuning_part_spoil_no_target():
    assert conclude(results(*ALL_RIGHT, outcomes(Figure.MULTI, 0, 9, "tuning")), is_strict=False) == 0


def test_a_real_model_is_held_to_the_targets_only_when_asked():
    missed = results(*ALL_RIGHT, outcomes(Figure.RULE, 0, 20), uses_stand_ins=False)
    assert conclude(missed, is_strict=False) == 0
    assert conclude(missed, is_strict=True) == 1


def test_the_tuning_part_alone_has_no_targets(capsys: pytest.CaptureFixture[str]):
    assert conclude(results(outcomes(Figure.SINGLE, 0, 3, "tuning")), is_strict=True) == 0
    assert "no targets" in capsys.readouterr().out


def test_model_time_rates_groups_and_every_miss_are_printed(capsys: pytest.CaptureFixture[str]):
    conclude(results(*ALL_RIGHT, outcomes(Figure.RULE, 0, 1)), is_strict=False)
    printed = capsys.readouterr().out
    assert "model: made-up (stand-in); took 2 s" in printed
    assert "1 misses" in printed
    assert f"{Figure.RULE} (held_out): {Figure.RULE} 0 | want this | got that" in printed
    assert f"{Figure.RULE:<34}   21   0.952" in printed
