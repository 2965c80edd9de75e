"""What the graph and its agents need from outside, in their own words: one file per outside thing."""

from dataclasses import dataclass

from chat_worker.ports.guide import Evidence, WasteGuide
from chat_worker.ports.model import ChatModel, StreamEnd

__all__ = ["ChatModel", "Evidence", "StreamEnd", "Tools", "WasteGuide"]


@dataclass(frozen=True)
class Tools:
    """The agents' reach."""

    model: ChatModel
    guide: WasteGuide
