"""The waste guide that ships with the worker."""

from collections.abc import Sequence

from chat_worker import domain
from chat_worker.guide.search import GuideIndex, Hit
from chat_worker.ports import Evidence

ITEMS = 3
NAMED_FROM = 0.7
"""From this score on the question names the item; below, it only looks like it."""


class PackagedGuide:
    """The WasteGuide port over the packaged data files."""

    def __init__(self) -> None:
        self._index = GuideIndex.packaged()

    def search(self, question: str) -> Evidence:
        hits = self._index.search(question, ITEMS)
        named = [hit for hit in hits if hit.score >= NAMED_FROM]
        # A look-alike beside the thing itself would only confuse the answer.
        return Evidence(_passages(named or hits[:1]), is_named=bool(named))


def _passages(hits: Sequence[Hit]) -> list[domain.Passage]:
    return [
        domain.Passage(
            title=passage.title,
            section=passage.section,
            text=passage.text,
            document=passage.source,
            url=passage.url,
            revised=passage.revised.isoformat() if passage.revised else None,
        )
        for hit in hits
        for passage in hit.passages
    ]
