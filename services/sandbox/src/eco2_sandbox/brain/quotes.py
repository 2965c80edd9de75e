"""Chooses what an answer quotes of each finding, within the room that one answer has."""

from collections.abc import Sequence

from eco2_sandbox.brain.extract import Quote, choose, line_of
from eco2_sandbox.brain.prompt import AnswerPrompt, Finding, Passage

# With its frame an answer stays within eight sentences.
_MOST_QUOTES = 6
# A place, a price, a day's weather: each passage is one entry of a list, and all of it is said.
_LISTED = frozenset(
    {
        *("location", "collection_point", "recyclable_price", "weather", "character"),
        *("household_waste", "image_generation"),
    }
)
_MOST_CHARS_OF_ENTRY = 120


def quoted(prompt: AnswerPrompt) -> list[tuple[Finding, list[Quote]]]:
    """Return the findings that say something, each with its quotes."""
    good = [finding for finding in prompt.findings if finding.status == "ok"]
    there = [len(_quotes(finding, prompt.question, _MOST_QUOTES)) for finding in good]
    chosen = [
        (finding, _quotes(finding, prompt.question, share))
        for finding, share in zip(good, _shares(there), strict=True)
    ]
    return [(finding, quotes) for finding, quotes in chosen if quotes or finding.note]


def _shares(there: Sequence[int]) -> list[int]:
    """Give each finding one quote, then another, until there is no more to give or to say."""
    shares = [min(1, count) for count in there]
    left = _MOST_QUOTES - sum(shares)
    while left > 0 and shares != list(there):
        for at, count in enumerate(there):
            if left > 0 and shares[at] < count:
                shares[at] += 1
                left -= 1
    return shares


def _quotes(finding: Finding, question: str, limit: int) -> list[Quote]:
    listed = [passage for passage in finding.passages if _is_entry(finding.agent, passage)]
    told = [passage for passage in finding.passages if passage not in listed]
    # A fee beside the guide's words: half of the room is for what stands in lists.
    kept = listed[: limit if not told else (limit + 1) // 2]
    chosen = choose(told, question, limit - len(kept))
    return sorted([*chosen, *map(line_of, kept)], key=lambda quote: quote.n)


def _is_entry(agent: str, passage: Passage) -> bool:
    if agent == "bulk_waste":
        return len(passage.text) <= _MOST_CHARS_OF_ENTRY and (" · " in passage.text or "원" in passage.text)
    return agent in _LISTED
