"""Embeddings add to what the names and n-grams find, and are never waited for."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from chat_worker.adapters.packaged_guide import PackagedGuide
from chat_worker.errors import ModelUnavailable
from chat_worker.guide import GuideIndex
from chat_worker.guide.fusion import FusedSearch, Patience, reciprocal_ranks
from chat_worker.guide.fusion_vectors import ItemVectors, UnusableVectors, unit_rows

INDEX = GuideIndex.packaged()
TOPICS = ("소파", "건전지", "우유팩", "거울")
UNKNOWN = "주인 잃은 두두리 처리"
HASTY = Patience(question_deadline_s=0.05, rest_s=60, first_retry_s=0, last_retry_s=0)


class FakeEmbedder:
    """Knows four topics by their names, and that the unknown word means a sofa; all else is apart."""

    def __init__(self, length: int = 500) -> None:
        self.asked: list[list[str]] = []
        self.length = length
        self.failures = 0
        self.is_stuck = False

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append(list(texts))
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.failures:
            self.failures -= 1
            raise ModelUnavailable("down")
        return [self.vector(text) for text in texts]

    def vector(self, text: str) -> list[float]:
        names = text.split(".")[0].replace("두두리", "소파")
        noise = random.Random(text)
        return [3.0 * (topic in names) for topic in TOPICS] + [
            noise.gauss(0, 0.05) for _ in range(self.length - len(TOPICS))
        ]


@asynccontextmanager
async def fused(embedder: FakeEmbedder, patience: Patience = HASTY) -> AsyncIterator[FusedSearch]:
    search = FusedSearch(INDEX, embedder, patience)
    try:
        yield search
    finally:
        await search.close()


def ids(hits: Sequence[object]) -> list[str]:
    return [hit.item.id for hit in hits]  # pyright: ignore


async def test_a_thing_that_only_the_vectors_know_is_found_but_not_called_named():
    assert INDEX.search(UNKNOWN) == []
    async with fused(FakeEmbedder()) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        hits = await search.search(UNKNOWN)
    assert "sofa" in ids(hits)
    assert not any(hit.is_named for hit in hits)


async def test_a_question_that_is_near_to_nothing_still_finds_nothing():
    async with fused(FakeEmbedder()) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        assert await search.search("비트코인 시세") == []


async def test_every_item_is_embedded_once_in_batches_of_bounded_size():
    embedder = FakeEmbedder()
    async with fused(embedder, Patience(batch=50)) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        await search.search(UNKNOWN)
    *batches, question = embedder.asked
    assert [text for batch in batches for text in batch] == INDEX.texts()
    assert max(map(len, batches)) == 50
    assert question == [UNKNOWN]


async def test_until_the_vectors_are_there_the_ngrams_answer_alone():
    embedder = FakeEmbedder()
    embedder.is_stuck = True
    async with fused(embedder) as search:
        await asyncio.sleep(0)
        assert await search.search(UNKNOWN) == INDEX.search(UNKNOWN)
        assert len(embedder.asked) == 1


async def test_items_are_embedded_again_after_a_failure():
    embedder = FakeEmbedder()
    embedder.failures = 2
    async with fused(embedder) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        assert "sofa" in ids(await search.search(UNKNOWN))


async def test_a_provider_that_fails_costs_the_question_nothing_but_its_vectors():
    embedder = FakeEmbedder()
    async with fused(embedder) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        embedder.failures = 1
        question = "헌 소파랑 낡아 빠진 거울"
        assert await search.search(question) == INDEX.search(question)


async def test_a_slow_provider_is_given_up_and_then_left_alone_for_a_while():
    embedder = FakeEmbedder()
    async with fused(embedder) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        embedder.is_stuck = True
        async with asyncio.timeout(2):
            assert await search.search(UNKNOWN) == []
        asked = len(embedder.asked)
        assert await search.search(UNKNOWN) == []
    assert len(embedder.asked) == asked


async def test_a_question_with_a_vector_of_another_length_is_answered_by_the_ngrams():
    embedder = FakeEmbedder()
    async with fused(embedder) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        embedder.length = 9
        assert await search.search(UNKNOWN) == []
        assert await search.search("소파 버리는 법") == INDEX.search("소파 버리는 법")


async def test_a_question_that_is_little_more_than_a_name_is_not_sent_to_the_provider():
    embedder = FakeEmbedder()
    async with fused(embedder) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        asked = len(embedder.asked)
        assert ids(await search.search("소파"))[0] == "sofa"
    assert len(embedder.asked) == asked


async def test_named_items_stand_before_those_that_are_only_near():
    async with fused(FakeEmbedder()) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        hits = await search.search("두두리 모양으로 접은 색종이 한가득 생김", k=10)
    assert hits[0].is_named
    assert hits[0].item.id == "coloured-paper"
    assert "sofa" in ids(hits)


async def test_only_the_beginning_of_a_very_long_question_is_sent():
    embedder = FakeEmbedder()
    async with fused(embedder) as search:
        await asyncio.wait_for(search.until_ready(), 5)
        await search.search("두두리 " * 2_000)
    assert len(embedder.asked[-1][0]) == 1_000


async def test_a_bug_in_the_embedder_is_not_swallowed():
    class Broken(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> list[list[float]]:
            raise ZeroDivisionError

    search = FusedSearch(INDEX, Broken(), HASTY)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(ZeroDivisionError):
        await search.close()


async def test_closing_stops_an_embedding_that_hangs():
    embedder = FakeEmbedder()
    embedder.is_stuck = True
    search = FusedSearch(INDEX, embedder, HASTY)
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await search.close()
    assert len(embedder.asked) == 1
    with pytest.raises(asyncio.CancelledError):
        await search.until_ready()


async def test_the_guide_without_an_embedder_finds_what_it_searches():
    guide = PackagedGuide()
    assert await guide.find("소파 버리는 법") == guide.search("소파 버리는 법")
    assert (await guide.find("외계인 버리는 법")).passages == []
    await guide.close()


async def test_the_guide_tells_the_scores_behind_its_evidence():
    guide = PackagedGuide()
    hits = await guide.hits("소파 버리는 법")
    assert hits[0].is_named
    assert 0.7 <= hits[0].score <= 1
    assert await guide.hits("외계인 버리는 법") == []


async def test_the_guide_with_an_embedder_finds_what_only_the_vectors_know():
    guide = PackagedGuide(FakeEmbedder())
    try:
        evidence = await guide.find(UNKNOWN)
        for _ in range(1_000):
            if evidence.passages:
                break
            await asyncio.sleep(0)
            evidence = await guide.find(UNKNOWN)
    finally:
        await guide.close()
    assert not evidence.is_named
    assert guide.search(UNKNOWN).passages == []


def test_a_place_in_both_rankings_is_worth_more_than_the_first_place_in_one():
    worth = reciprocal_ranks([1, 2], [3, 2])
    assert max(worth, key=worth.__getitem__) == 2
    assert worth[1] == worth[3] == 1 / 61


@pytest.mark.parametrize(
    "vectors", [[], [[]], [[1.0], [1.0, 2.0]], [[float("nan")]], [["a"]], [[None]]], ids=str
)
def test_vectors_that_cannot_be_compared_are_refused(vectors: list[list[float]]):
    with pytest.raises(UnusableVectors):
        unit_rows(vectors)


def test_batches_of_different_lengths_are_refused():
    with pytest.raises(UnusableVectors):
        ItemVectors([unit_rows([[1.0, 0.0]]), unit_rows([[1.0]])])


def test_what_all_items_have_in_common_makes_none_of_them_near():
    vectors = ItemVectors([unit_rows([[9.0, 1.0, 0.0], [9.0, 0.0, 1.0]])])
    (best, near), (_, far) = vectors.nearest(unit_rows([[9.0, 1.0, 0.0]]), 2)
    assert best == 0
    assert near > 0.9
    assert far < 0
