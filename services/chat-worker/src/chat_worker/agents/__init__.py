"""The subagents. To add one: a file here, a line in AGENTS, a line in the routing table, a test."""

from chat_worker.agents.bulk_waste import bulk_waste
from chat_worker.agents.character import character
from chat_worker.agents.collection_point import collection_point
from chat_worker.agents.general import general
from chat_worker.agents.household_waste import household_waste
from chat_worker.agents.image_generation import image_generation
from chat_worker.agents.location import location
from chat_worker.agents.recyclable_price import recyclable_price
from chat_worker.agents.table import Agent
from chat_worker.agents.waste_rag import waste_rag
from chat_worker.agents.weather import weather
from chat_worker.agents.web_search import web_search

AGENTS: dict[str, Agent] = {
    "waste_rag": Agent(waste_rag, 2, 1, "in memory: it is either quick or broken"),
    "bulk_waste": Agent(bulk_waste, 8, 2, "the fee portal often takes seconds; the guide's part never waits"),
    "household_waste": Agent(
        household_waste, 6, 2, "an extra that the answer can do without", needs=("household_waste",)
    ),
    "collection_point": Agent(
        collection_point, 10, 2, "whole districts are read, page by page", needs=("collection_points",)
    ),
    "location": Agent(location, 4, 2, "a map that answers in 0.3 s", needs=("places",)),
    "recyclable_price": Agent(
        recyclable_price, 5, 2, "served from a cache that is filled behind it", needs=("prices",)
    ),
    "weather": Agent(weather, 6, 2, "three forecasts at once, each some 0.5 s", needs=("weather",)),
    "character": Agent(character, 2, 3, "our own service, in milliseconds", needs=("characters",)),
    "web_search": Agent(web_search, 8, 2, "other people's servers", needs=("web_search",)),
    "image_generation": Agent(
        image_generation, 105, 1, "drawing takes 10 to 60 s, and costs", needs=("images", "pictures")
    ),
    "general": Agent(general, 1, 1, "no look-up at all"),
}
"""The one list of agents: deadline in seconds, tries, why, and the tools that it cannot do without."""
