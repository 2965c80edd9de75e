"""What the graph and its agents need from outside, in their own words: one file per outside thing."""

from dataclasses import dataclass

from chat_worker.ports.characters import Characters
from chat_worker.ports.collection import CollectionPoints
from chat_worker.ports.disposal import BulkyFees, HouseholdWaste
from chat_worker.ports.guide import Evidence, WasteGuide
from chat_worker.ports.images import ImageMaker
from chat_worker.ports.metrics import MetricsPort
from chat_worker.ports.model import ChatModel, StreamEnd, Vision
from chat_worker.ports.pictures import PictureStore
from chat_worker.ports.places import Places
from chat_worker.ports.prices import RecyclablePrices
from chat_worker.ports.weather import Weather
from chat_worker.ports.web_search import WebSearch

__all__ = ["ChatModel", "Evidence", "MetricsPort", "StreamEnd", "Tools", "WasteGuide"]


@dataclass(frozen=True)
class Tools:
    """The agents' reach; what no key opens is None."""

    model: ChatModel
    guide: WasteGuide
    vision: Vision | None = None
    places: Places | None = None
    weather: Weather | None = None
    household_waste: HouseholdWaste | None = None
    bulky_fees: BulkyFees | None = None
    collection_points: CollectionPoints | None = None
    prices: RecyclablePrices | None = None
    web_search: WebSearch | None = None
    characters: Characters | None = None
    images: ImageMaker | None = None
    pictures: PictureStore | None = None
