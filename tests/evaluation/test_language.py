"""Telling the language of a question and of an answer."""

import pytest

from evaluation.language import of_answer, of_question, quotes_korean

ENGLISH_WITH_QUOTES = """Here is what I found (recycling).

- 폐건전지 전용수거함에 넣으세요. 종량제봉투나 다른 재활용품에 섞지 마세요. [1]

Ask me if anything else is unclear."""


@pytest.mark.parametrize(
    ("text", "language"),
    [("LED 전구 버리는 법", "ko"), ("how do i recycle PET?", "en"), ("PET ㅋㅋ", "ko")],
)
def test_a_question_with_any_korean_is_korean(text: str, language: str):
    assert of_question(text) == language


def test_korean_quotes_do_not_make_an_english_answer_korean():
    assert of_answer(ENGLISH_WITH_QUOTES) == "en"
    assert quotes_korean(ENGLISH_WITH_QUOTES)


def test_a_name_in_quotation_marks_is_not_the_answers_own_word():
    assert of_answer("'an old wind turbine blade'은(는) 분리배출 안내에 없어요.") == "ko"


def test_an_answer_made_of_cited_lines_alone_is_judged_by_them():
    assert of_answer("- 전용수거함에 넣으세요. [1]") == "ko"
    assert of_answer("Put them into the collection box. [1]") == "en"


def test_a_mixed_answer_is_in_the_language_that_says_more():
    assert of_answer("PET, PP, PE는 플라스틱류로 내놓으세요.") == "ko"
    assert of_answer("Take it to the 주민센터 of your district.") == "en"
