"""The search finds the item a question is about, or says that it does not know it."""

import time
import unicodedata
from pathlib import Path

import pytest
from chat_worker.guide import GuideIndex, load_guide
from chat_worker.guide.evaluate import ask, main, read_questions, recall

QUESTIONS = Path(__file__).parent / "questions.yaml"
LABELLED = read_questions(QUESTIONS)
INDEX = GuideIndex.packaged()
POSITIVE = [outcome for outcome in ask(INDEX, LABELLED.held_out) if outcome.question.want]
NEGATIVE = [outcome for outcome in ask(INDEX, LABELLED.held_out) if not outcome.question.want]


def first(question: str) -> str | None:
    return next((hit.item.id for hit in INDEX.search(question)), None)


def test_the_right_item_comes_first_for_held_out_questions():
    assert recall(POSITIVE, 1) >= 0.93


def test_the_right_item_is_among_three_for_held_out_questions():
    assert recall(POSITIVE, 3) >= 0.97


def test_held_out_questions_the_guide_cannot_answer_name_no_item():
    assert recall(NEGATIVE, 1) >= 0.93


def test_the_tuning_questions_stay_answered():
    assert recall(ask(INDEX, LABELLED.tuning), 1) >= 0.97


def test_no_question_is_both_tuned_on_and_held_out():
    assert not {question.q for question in LABELLED.tuning} & {question.q for question in LABELLED.held_out}


def test_every_label_names_an_item_of_the_guide():
    known = {item.id for item in load_guide().items}
    labels = {item for question in (*LABELLED.tuning, *LABELLED.held_out) for item in question.want}
    assert labels <= known


@pytest.mark.parametrize(
    ("question", "item"),
    [
        ("종이컵", "paper-cup"),
        ("우유팩", "milk-carton"),
        ("뽁뽁이", "bubble-wrap"),
        ("깨진 유리", "broken-glass"),
        ("치킨 뼈", "bone"),
        ("폐건전지", "dry-battery"),
        ("소파", "sofa"),
        ("이불", "blanket"),
        ("페트병 뚜껑", "pet-cap"),
        ("영수증", "receipt"),
        ("신문지", "newspaper"),
        ("알약", "medicine"),
    ],
)
def test_an_everyday_thing_is_found_by_its_name(question: str, item: str):
    assert first(question) == item


@pytest.mark.parametrize("item", load_guide().items, ids=lambda item: item.id)
def test_every_name_of_an_item_finds_that_item(item):
    missed = [name for name in item.names if first(f"{name} 버리는 법") != item.id]
    assert missed == []


@pytest.mark.parametrize("question", ["비트코인 시세", "외계인 버리는 법", "", "   ", "?!", "버리는 법"])
def test_a_question_about_nothing_in_the_guide_finds_nothing(question: str):
    assert INDEX.search(question) == []


def test_a_longer_name_wins_over_the_shorter_one_inside_it():
    assert first("페트병 뚜껑 어떻게 버려요") == "pet-cap"
    assert first("페트병 어떻게 버려요") == "clear-pet-bottle"


def test_the_bin_somebody_asks_about_is_not_the_thing():
    assert first("칫솔은 플라스틱으로 버리나요?") == "toothbrush"
    assert first("이불은 의류수거함에 넣어도 되나요?") == "blanket"


def test_a_name_that_fits_several_things_finds_all_of_them():
    assert {hit.item.id for hit in INDEX.search("컵", k=4)} == {
        *("paper-cup", "plastic-cup", "drinking-glass", "pottery"),
    }


def test_a_wrong_syllable_still_finds_the_thing():
    assert first("형강등 버리는 곳") == "fluorescent-lamp"


def test_decomposed_hangul_is_read_like_composed():
    assert first(unicodedata.normalize("NFD", "종이컵")) == "paper-cup"


def test_english_names_are_matched_as_whole_words():
    assert first("where do I put cans?") == "can"
    assert first("candy store opening hours") != "can"


def test_scores_lie_between_nought_and_one_and_fall():
    for question in LABELLED.tuning:
        scores = [hit.score for hit in INDEX.search(question.q)]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)


def test_a_named_thing_scores_above_one_that_only_looks_alike():
    assert INDEX.search("소파 버리는 법")[0].score >= 0.7 > INDEX.search("고양이 버리는 법")[0].score


def test_no_more_than_k_items_are_returned():
    assert len(INDEX.search("종이", k=2)) == 2


def test_a_query_takes_less_than_five_milliseconds():
    questions = [question.q for question in LABELLED.tuning]
    started = time.process_time()
    for question in questions:
        INDEX.look_up(question)
    assert (time.process_time() - started) / len(questions) < 0.005


def test_a_question_asked_again_is_answered_alike_and_may_be_changed_by_its_caller():
    first_time = INDEX.search("소파 버리는 법")
    first_time.clear()
    assert INDEX.search("소파 버리는 법") == list(INDEX.look_up("소파 버리는 법"))


@pytest.mark.parametrize("word", ["가나다라 ", "a", "버", " ", "종이컵 "])
def test_a_very_long_message_does_not_hold_up_the_worker(word: str):
    started = time.process_time()
    INDEX.search(word * 2000)
    assert time.process_time() - started < 1


def test_the_evaluation_prints_recall_and_misses_for_both_splits(capsys: pytest.CaptureFixture[str]):
    main(["--questions", str(QUESTIONS)])
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("tuning", "held_out", "recall@1", "us per search"))
    missed = [outcome for outcome in (*POSITIVE, *NEGATIVE) if not outcome.right_within(1)]
    assert all(f"miss: {outcome.question.q}" in printed for outcome in missed)


def test_one_part_can_be_looked_at_without_the_other(capsys: pytest.CaptureFixture[str]):
    main(["--questions", str(QUESTIONS), "--part", "tuning"])
    assert "held_out" not in capsys.readouterr().out


def test_both_parts_hold_a_hundred_and_thirty_questions_of_every_kind():
    for part in (LABELLED.tuning, LABELLED.held_out):
        assert len(part) >= 130
        assert len({question.kind for question in part}) == 5
