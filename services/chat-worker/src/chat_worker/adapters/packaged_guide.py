"""The waste guide that ships with the worker."""

from collections.abc import Sequence

from chat_worker import domain
from chat_worker.guide.fusion import Embedder, FusedSearch
from chat_worker.guide.search import GuideIndex, Hit
from chat_worker.ports import Evidence

ITEMS = 3


class PackagedGuide:
    """The WasteGuide port over the packaged data files, with embeddings when there is an embedder."""

    def __init__(self, embedder: Embedder | None = None) -> None:
        """With an embedder, needs a running event loop: the items are embedded in the background."""
        self._index = GuideIndex.packaged()
        self._fused = FusedSearch(self._index, embedder) if embedder else None

    def search(self, question: str) -> Evidence:
        """What names and n-grams find, without the embedder."""
        return _evidence(self._index.search(question, ITEMS))

    async def find(self, question: str) -> Evidence:
        """What the guide says to a question; no passages when it does not know the thing."""
        return _evidence(await self.hits(question))

    async def hits(self, question: str) -> list[Hit]:
        """The items behind `find` with their scores, best first; none when the guide does not know it."""
        if self._fused is None:
            return self._index.search(question, ITEMS)
        return await self._fused.search(question, ITEMS)

    async def close(self) -> None:
        """Stop what runs in the background."""
        if self._fused is not None:
            await self._fused.close()


def _evidence(hits: Sequence[Hit]) -> Evidence:
    named = [hit for hit in hits if hit.is_named]
    # A look-alike beside the thing itself would only confuse the answer.
    passages = [passage for hit in named or hits[:1] for passage in _passages(hit)]
    return Evidence(passages, is_named=bool(named))


def _passages(hit: Hit) -> list[domain.Passage]:
    return [
        domain.Passage(
            title=passage.title,
            section=passage.section,
            text=passage.text,
            document=passage.source,
            url=passage.url,
            revised=passage.revised.isoformat() if passage.revised else None,
        )
        for passage in hit.passages
    ]
