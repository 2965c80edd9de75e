"""A question is found again in what the model is asked, and so is its one right answer."""

from chaos.question import Question


def test_the_newest_question_of_a_conversation_is_the_one_that_is_answered() -> None:
    first, second = Question("a1", 3), Question("b2", 5, padding=7, kind="poison")
    assert Question.find(f"{first.message} ... {second.message}") == second
    assert Question.find("페트병은?") is None


def test_every_word_tells_whose_it_is_and_which() -> None:
    assert Question("a1", 3, padding=2).answer == "a1.0~~ a1.1~~ a1.2~~ "
