"""A canary is found in whatever way it is written."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from tests.security.planted import CONTENT, WORDS, found_in

HIDDEN = (*WORDS, *CONTENT.values())


@pytest.mark.parametrize("word", HIDDEN)
def test_a_canary_is_found_in_every_spelling(word: str) -> None:
    spellings = {
        "as it is": word,
        "in JSON": json.dumps({"a": word}),
        "in an address": quote(word, safe=""),
        "in an address, in small letters": quote(word, safe="").lower(),
        "in a form": quote_plus(f"a {word} b"),
        "in a log": repr(word.encode("unicode_escape"))[2:-1].replace("\\\\", "\\"),
    }
    for name, text in spellings.items():
        assert word in found_in(f"before {text} after", HIDDEN), name


@pytest.mark.parametrize("word", HIDDEN)
@pytest.mark.parametrize("before", ["", "u", "us", "user:", "다"])
def test_a_canary_is_found_in_base64_wherever_it_begins(word: str, before: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(f"{before}{word}?>".encode()).decode()
        assert word in found_in(f"Basic {text}", HIDDEN)


def test_what_holds_no_canary_is_fine() -> None:
    assert found_in("sk-canary-openai-5f1e " + base64.b64encode(b"user:word").decode(), HIDDEN) == []
