"""The labelled messages themselves."""

from pathlib import Path

import pytest
from chat_worker.domain import Intent
from pydantic import ValidationError

from evaluation.labelled import Message, Question, read_messages, read_questions

MESSAGES, QUESTIONS = read_messages(), read_questions()


def test_the_messages_cover_every_intent_in_both_languages():
    single = [message for message in MESSAGES.held_out if not message.is_multi]
    covered = {(intent, message.language) for message in single for intent in message.want}
    assert covered == {(intent, language) for intent in Intent for language in ("ko", "en")}


def test_there_are_enough_messages_to_measure():
    assert len(MESSAGES.held_out) >= 110
    assert sum(message.is_multi for message in MESSAGES.held_out) >= 30
    assert len(QUESTIONS.held_out) >= 60
    assert sum(question.expects == "not_found" for question in QUESTIONS.held_out) >= 20


def test_nothing_is_asked_twice_or_in_both_parts():
    for labelled in (MESSAGES, QUESTIONS):
        asked = ["".join(one.q.split()).casefold() for one in (*labelled.tuning, *labelled.held_out)]
        assert len(asked) == len(set(asked))


def test_every_message_with_several_intents_tells_what_each_is_about():
    for message in (*MESSAGES.tuning, *MESSAGES.held_out):
        assert bool(message.about) == message.is_multi, message.q


def test_a_style_called_english_is_in_english():
    for message in (*MESSAGES.tuning, *MESSAGES.held_out):
        assert (message.style == "english") == (message.language == "en"), message.q


def test_an_unknown_intent_is_refused(tmp_path: Path):
    path = tmp_path / "intents.yaml"
    path.write_text("tuning: []\nheld_out: [{q: hi, want: [chat], style: plain}]\n", encoding="utf-8")
    with pytest.raises(ValidationError):
        read_messages(path)


def test_a_label_that_no_answer_could_fail_is_refused():
    with pytest.raises(ValidationError, match="a rule needs"):
        Question(q="?", expects="rule", category="x")
    with pytest.raises(ValidationError, match="a refusal needs"):
        Question(q="?", expects="refusal", category="x")


def test_labels_that_contradict_themselves_are_refused():
    twice = (Intent.WASTE, Intent.WASTE)
    with pytest.raises(ValidationError, match="named twice"):
        Message(q="?", want=twice, style="plain")
    with pytest.raises(ValidationError, match="one list of words per intent"):
        Message(q="?", want=(Intent.WASTE,), style="plain", about=(("a",), ("b",)))
