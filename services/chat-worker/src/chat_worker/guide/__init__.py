"""The waste guide: everyday items with where they go, and the search over them."""

from chat_worker.guide.load import load_guide
from chat_worker.guide.schema import Guide, Item, Passage, Source
from chat_worker.guide.search import GuideIndex, Hit

__all__ = ["Guide", "GuideIndex", "Hit", "Item", "Passage", "Source", "load_guide"]
