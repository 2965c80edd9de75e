"""What is precomputed, remembered or skipped for speed gives what the plain formulas give."""

import math
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from chat_worker.guide import GuideIndex, load_guide
from chat_worker.guide.evaluate import read_questions
from chat_worker.guide.names import NameBook
from chat_worker.guide.ngrams import NgramIndex
from chat_worker.guide.normalise import content_words, fold, jamo, shortest_stem, stems, without_particle
from chat_worker.guide.typos import Lookalikes

ITEMS = load_guide().items
LABELLED = read_questions(Path(__file__).parent / "questions.yaml")
SAMPLE = [question.q for question in (*LABELLED.tuning, *LABELLED.held_out)][::5]
WORDS = sorted({word for question in SAMPLE for word in question.split()})
PARTICLES = (
    *("이랑", "하고", "에서", "에다", "에는", "으로", "들은", "들을", "들이", "인데", "이나", "까지", "부터"),
    *("은", "는", "을", "를", "이", "가", "도", "에", "의", "와", "과", "랑", "로", "만", "들"),
)


def plain_fold(text: str) -> str:
    folded = ""
    for char in unicodedata.normalize("NFKC", text).lower():
        if (sounds := jamo(char)) is not None:
            initial, vowel, final = sounds
            initial = {1: 0, 4: 3, 8: 7, 10: 9, 13: 12}.get(initial, initial)
            vowel = {3: 1, 5: 1, 7: 1, 10: 11, 15: 11}.get(vowel, vowel)
            char = chr(0xAC00 + (initial * 21 + vowel) * 28 + final)
        folded += char if char.isalnum() else ""
    return folded


def plain_grams(text: str) -> list[str]:
    folded = plain_fold(text)
    grams = [char for char in folded if not char.isascii()]
    grams += [left + right for left, right in pairwise(folded) if not (left + right).isascii()]
    for word in map(plain_fold, text.split()):
        if word and word.isascii():
            grams += [word[at : at + 4] for at in range(max(1, len(word) - 3))]
    return grams


def weighted(item) -> Counter[str]:
    grams: Counter[str] = Counter()
    fields = [(name, 3.0) for name in (*item.names, *item.shared)]
    fields += [(item.material, 1.0), *((text, 0.3) for _, text in item.sections())]
    for text, weight in fields:
        for gram in plain_grams(text):
            grams[gram] += weight
    return grams


DOCUMENTS = [weighted(item) for item in ITEMS]
LENGTHS = [sum(document.values()) for document in DOCUMENTS]
MEAN = sum(LENGTHS) / len(LENGTHS)
FOUND_IN = Counter(gram for document in DOCUMENTS for gram in document)


def worth(gram: str) -> float:
    found_in = FOUND_IN[gram]
    return math.log1p((len(ITEMS) - found_in + 0.5) / (found_in + 0.5)) * (0.35 if len(gram) == 1 else 1)


def plain_score(words: list[str]) -> list[float]:
    grams = set(plain_grams(" ".join(words)))
    total = sum(map(worth, grams))
    scores: list[float] = []
    for document, length in zip(DOCUMENTS, LENGTHS, strict=True):
        norm = 1.2 * (1 - 0.4 + 0.4 * length / MEAN)
        scores.append(sum(worth(g) * document[g] / (document[g] + norm) for g in grams if g in document))
    return [score / total for score in scores] if total else scores


def test_bm25_is_what_its_formula_says():
    index = NgramIndex(ITEMS)
    for question in SAMPLE:
        words = [*map(without_particle, content_words(question))]
        assert index.score(words).tolist() == pytest.approx(plain_score(words), abs=1e-9)


def test_folding_is_what_a_loop_over_the_characters_gives():
    for text in [*WORDS, "ＰＥＴ병", "Ⅳ ½ ﬁre", "e-cigarette's", "꽃게·껍질", "긴" * 200]:
        assert fold(text) == fold(text) == plain_fold(text)


def test_stems_are_what_trying_every_particle_gives():
    for word in [*WORDS, *PARTICLES, "가", "이이이", "들들은"]:
        plain = {word, *(word.removesuffix(particle) for particle in PARTICLES)} - {""}
        assert stems(word) == plain
        assert shortest_stem(word) == min((stem for stem in plain if len(stem) > 1), key=len, default=word)


def test_the_longest_name_that_ends_a_word_is_found_as_trying_every_substring_finds_it():
    book = NameBook(ITEMS)
    owners = {plain_fold(name): at for at, item in enumerate(ITEMS) for name in item.names if len(name) > 1}
    tried = 0
    for question in SAMPLE:
        words = content_words(question)
        text = "".join(map(plain_fold, words))
        ends = [len("".join(map(plain_fold, words[:at]))) for at in range(1, len(words) + 1)]
        cuts = [text[start:end] for end in ends for start in range(end - 1)]
        if known := [cut for cut in cuts if cut in owners and not cut.isascii()]:
            matches = book.find(words)
            longest = max(known, key=len)
            found = {number for match in matches for number in match.items}
            assert owners[longest] in found or max(match.size for match in matches) >= len(longest)
            tried += 1
    assert tried > 50


def test_a_lookalike_is_found_by_every_wrong_sound():
    names = ["형광등", "테이프", "커피찌꺼기", "물티슈"]
    lookalikes = Lookalikes(names)
    for spelt, name in [
        *(("형강등", "형광등"), ("혀광등", "형광등"), ("형광드", "형광등"), ("영광등", "형광등")),
        *(("테잎", "테이프"), ("커피찌꺽이", "커피찌꺼기"), ("물티슈우", "물티슈"), ("물디슈", "물티슈")),
    ]:
        assert [*lookalikes.of(spelt)] == [name]
    assert not [name for word in ("현관문", "테니스", "찌개", "tape", "물") for name in lookalikes.of(word)]


def test_a_remembered_answer_is_the_answer_of_a_fresh_index():
    used, fresh = GuideIndex.packaged(), GuideIndex(load_guide())
    for question in SAMPLE:
        used.search(question)
        assert used.search(question) == [*fresh.look_up(question)]
