"""How far the rules carry beyond the messages that they were tuned on: `wordings.csv` has both halves."""

import csv
import time
from pathlib import Path

import pytest
from eco2_sandbox.brain.intents import understand

TABLE = Path(__file__).with_name("wordings.csv")
LEAST = {("tuned", False): 0.95, ("tuned", True): 0.90, ("unseen", False): 0.93, ("unseen", True): 0.85}


def rows(half, is_multi):
    with TABLE.open(encoding="utf-8", newline="") as file:
        told = [
            (row["message"], set(row["intents"].split()))
            for row in csv.DictReader(file)
            if row["half"] == half
        ]
    return [(message, wanted) for message, wanted in told if (len(wanted) > 1) is is_multi]


def readings(message):
    return understand(message, [])["intents"]


def intents(message):
    return {one["intent"] for one in readings(message)}


@pytest.mark.parametrize(("half", "is_multi"), LEAST)
def test_wordings_are_understood(half, is_multi, capsys):
    asked = rows(half, is_multi)
    right = sum(intents(message) == wanted for message, wanted in asked)
    with capsys.disabled():
        kind = "several" if is_multi else "single"
        print(f"\nwordings, {half}, {kind}: {right / len(asked):.3f} of {len(asked)}")
    assert right / len(asked) >= LEAST[half, is_multi]


def test_the_two_halves_are_alike_and_have_no_message_in_common():
    with TABLE.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len({row["message"] for row in table}) == len(table) >= 300
    for name in ("tuned", "unseen"):
        assert len({one for row in table if row["half"] == name for one in row["intents"].split()}) == 10


@pytest.mark.parametrize(
    ("message", "item"),
    [
        ("다 본 책은요?", "다 본 책"),
        ("콜라 페트병 다 마셨으면 어떻게 해?", "콜라 페트병"),
        ("Are coffee grounds food waste?", "coffee grounds"),
        ("Do I have to rinse tuna cans?", "tuna cans"),
    ],
)
def test_a_thing_without_a_verb_is_the_item_of_a_waste_question(message, item):
    [found] = readings(message)
    assert (found["intent"], found["item"]) == ("waste", item)


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        ("낼 덥냐 글고 스티로폼 어따 버려", ["내일 덥냐", "스티로폼 어디에 버려"]),
        ("신문지 시세랑 신문지 묶는 법 알려줘", ["신문지 시세", "신문지 묶는 법 알려줘"]),
        ("리필샵 찾아주고 오늘 우산 필요한지도 봐줘", ["리필샵 찾아주고", "오늘 우산 필요한지도 봐줘"]),
        (
            "How do I dispose of a mug and a sofa?",
            ["How do I dispose of a mug", "How do I dispose of a sofa"],
        ),
    ],
)
def test_each_clause_is_a_question_of_its_own(message, questions):
    assert [one["question"] for one in readings(message)] == questions


def test_a_fee_asked_for_in_the_next_sentence_is_the_fee_of_the_thing_before():
    assert intents("소파 버리려고요. 얼마예요?") == {"bulk_waste"}


def test_a_pronoun_stands_for_the_thing_of_the_clause_before():
    _, price = readings("How do I recycle cans? Also what are they worth?")
    assert (price["intent"], price["item"]) == ("recyclable_price", "cans")


def test_confidence_is_greater_the_further_one_intent_is_ahead():
    [sure], [less] = readings("서울 날씨 예보 알려줘"), readings("컵은요?")
    assert 0.5 < less["confidence"] < sure["confidence"] <= 0.95


def test_a_short_message_is_read_in_a_few_milliseconds():
    asked = [message for half in ("tuned", "unseen") for message, _ in rows(half, is_multi=False)]
    began = time.process_time()
    assert all(map(readings, asked))
    assert (time.process_time() - began) / len(asked) < 0.01


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "가",
            "a ",
            "이랑 ",
            "컵이랑 ",
            "페트병이랑 캔하고 ",
            "비 오고 캔 버리고 ",
            "cans and jars and rain and ",
        ),
        *("how do I throw away a can and ", "throw a a ", "put a in ", "날씨 어때? 캔 버려? ", "고 ", "데 "),
    ],
)
def test_no_thousand_characters_take_long(piece):
    began = time.process_time()
    assert readings((piece * 1_000)[:1_000])
    # Some 20 ms on a machine with nothing else to do.
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize(
    "message", ["사과 깎아먹고 껍질", "smartphone with a swollen battery", "생일 케이크 먹고 남은 상자"]
)
def test_a_thing_without_a_question_is_taken_to_be_thrown_away(message):
    assert intents(message) == {"waste"}


@pytest.mark.parametrize(
    "message",
    [
        "노트북 추천해줘",
        "책 읽기 좋은 날이네",
        "피자 먹고 싶다",
        "수학 문제 풀어줘",
        "I love coffee",
        "how do I cook rice",
    ],
)
def test_what_people_do_with_things_otherwise_is_no_waste_question(message):
    assert intents(message) == {"general"}
