"""Fuse what the names and n-grams find with what a provider's embeddings find, when there are any."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chat_worker.errors import AnswerError, ModelUnavailable, VendorError
from chat_worker.guide.fusion_vectors import ItemVectors, Matrix, UnusableVectors, unit_rows
from chat_worker.guide.search import NAMED_FROM, NOT_FOUND_BELOW, GuideIndex, Hit

_log = logging.getLogger(__name__)
_FAILURES = (VendorError, ModelUnavailable, AnswerError, TimeoutError, UnusableVectors)

# The usual constant of reciprocal rank fusion (Cormack, Clarke, Buettcher 2009), and how deep lists are read.
_RANK_OFFSET, _DEPTH = 60, 10
# From here on the question is little more than the item's name, and no vector knows better.
_SURE_FROM = 0.9
_QUESTION_LENGTH = 1_000


class Embedder(Protocol):
    """The provider's embeddings."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector per text; raises ModelUnavailable, AnswerError or VendorError."""
        ...


@dataclass(frozen=True)
class Patience:
    """How much is asked of the provider at a time, and how long it is waited for."""

    batch: int = 64
    batch_deadline_s: float = 30
    question_deadline_s: float = 0.5
    # After a failure, questions do without it for so long.
    rest_s: float = 10
    first_retry_s: float = 5
    last_retry_s: float = 600


class FusedSearch:
    """The search over both rankings; n-grams alone until the items' vectors are there or when they fail."""

    def __init__(self, index: GuideIndex, embedder: Embedder, patience: Patience | None = None) -> None:
        """Starts to embed the items in the background: needs a running event loop."""
        self._index = index
        self._embedder = embedder
        self._patience = patience or Patience()
        self._vectors: ItemVectors | None = None
        self._resting_until = 0.0
        self._loading = asyncio.create_task(self._load(), name="guide-vectors")

    async def until_ready(self) -> None:
        """Wait until the items' vectors are there."""
        await asyncio.shield(self._loading)

    async def search(self, question: str, k: int = 3) -> list[Hit]:
        """Return the k best items, named ones first; an empty list when neither ranking knows the thing."""
        found = self._index.search(question, _DEPTH)
        is_sure = bool(found) and found[0].score >= _SURE_FROM
        if self._vectors is None or is_sure or not question.strip() or self._is_resting():
            return found[:k]
        return self._fused(found, await self._nearest(self._vectors, question))[:k]

    async def close(self) -> None:
        """Stop embedding the items."""
        self._loading.cancel()
        await asyncio.wait([self._loading])
        if not self._loading.cancelled():
            self._loading.result()

    def _is_resting(self) -> bool:
        return asyncio.get_running_loop().time() < self._resting_until

    async def _nearest(self, vectors: ItemVectors, question: str) -> Mapping[int, float]:
        """Return the items nearest to the question with their scores; none when the provider fails."""
        try:
            async with asyncio.timeout(self._patience.question_deadline_s):
                rows = unit_rows(await self._embed([question[:_QUESTION_LENGTH]]))
            near = vectors.nearest(rows, _DEPTH)
        except _FAILURES as error:
            _log.warning("guide question not embedded: %s", type(error).__name__)
            self._resting_until = asyncio.get_running_loop().time() + self._patience.rest_s
            return {}
        # Below a named item, however near: only a name tells that it is the very thing.
        scores = {number: NAMED_FROM * min(cosine, 0.999) for number, cosine in near}
        return {number: score for number, score in scores.items() if score >= NOT_FOUND_BELOW}

    def _fused(self, found: Sequence[Hit], near: Mapping[int, float]) -> list[Hit]:
        by_name = {self._index.number(hit): hit for hit in found}
        hits = {number: self._index.hit(number, score) for number, score in near.items()}
        for number, hit in by_name.items():
            hits[number] = replace(hit, score=max(hit.score, near.get(number, 0.0)))
        worth = reciprocal_ranks(by_name, near)
        best = sorted(hits, key=lambda number: (hits[number].is_named, worth[number]), reverse=True)
        return [hits[number] for number in best]

    async def _load(self) -> None:
        pause_s = self._patience.first_retry_s
        while self._vectors is None:
            try:
                self._vectors = await self._embedded_items()
            except _FAILURES as error:
                _log.warning("guide items not embedded, again in %.0f s: %s", pause_s, type(error).__name__)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._patience.last_retry_s)

    async def _embedded_items(self) -> ItemVectors:
        texts, size = self._index.texts(), self._patience.batch
        batches: list[Matrix] = []
        for start in range(0, len(texts), size):
            async with asyncio.timeout(self._patience.batch_deadline_s):
                # Made into an array at once: all of them in one go would hold up the loop.
                batches.append(unit_rows(await self._embed(texts[start : start + size])))
        return ItemVectors(batches)

    async def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        vectors = await self._embedder.embed(texts)
        if len(vectors) != len(texts):
            raise UnusableVectors(f"{len(vectors)} vectors for {len(texts)} texts")
        return vectors


def reciprocal_ranks(*rankings: Iterable[int]) -> dict[int, float]:
    """Return what each number's places in the rankings, best first, add up to."""
    worth: dict[int, float] = {}
    for ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            worth[number] = worth.get(number, 0.0) + 1 / (_RANK_OFFSET + rank)
    return worth
