import unicodedata

import pytest
from eco2_sandbox.brain.pieces import count_tokens, pieces
from hypothesis import given
from hypothesis import strategies as st


@given(st.text())
def test_the_pieces_of_a_text_make_the_text(text):
    assert "".join(pieces(text)) == text
    assert count_tokens(text) == len(pieces(text))


@given(st.text(alphabet="가나다 abc,.12\n"))
def test_a_piece_has_one_to_four_characters(text):
    assert all(1 <= len(piece) <= 4 for piece in pieces(text))


@pytest.mark.parametrize(
    "whole",
    [
        "e\u0301",
        "👩\u200d👩\u200d👧",
        "👍🏽",
        "🇰🇷",
        "1\ufe0f\u20e3",
        unicodedata.normalize("NFD", "각"),
        "\r\n",
    ],
)
def test_what_is_one_character_to_the_eye_is_never_cut(whole):
    for text in (whole, f"병{whole}병", f"a{whole} {whole}"):
        assert sum(whole in piece for piece in pieces(text)) == text.count(whole)


def test_two_flags_are_two_pieces():
    assert pieces("🇰🇷🇺🇸") == ("🇰🇷", "🇺🇸")
