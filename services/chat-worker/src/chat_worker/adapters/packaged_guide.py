"""The waste guide that ships with the worker."""

from chat_worker import domain
from chat_worker.guide.search import GuideIndex

ITEMS = 3


class PackagedGuide:
    """The WasteGuide port over the packaged data files."""

    def __init__(self) -> None:
        self._index = GuideIndex.packaged()

    def search(self, question: str) -> list[domain.Passage]:
        return [
            domain.Passage(
                title=passage.title,
                section=passage.section,
                text=passage.text,
                document=passage.source,
                url=passage.url,
                revised=passage.revised.isoformat() if passage.revised else None,
            )
            for hit in self._index.search(question, ITEMS)
            for passage in hit.passages
        ]
