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
# The guide speaks of the thing that was asked about; its name is said when there are several.
_GUIDED = frozenset({"waste_rag", "feedback", "bulk_waste"})
_MOST_CHARS_OF_FEE = 120
# The guide's passages are short and say one thing each; of a longer one the fitting sentences are told.
_MOST_CHARS_OF_SHORT = 200


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
    entries = [passage for passage in finding.passages if _is_entry(finding.agent, passage)]
    rest = [passage for passage in finding.passages if passage not in entries]
    short = [passage for passage in rest if len(passage.text) <= _MOST_CHARS_OF_SHORT]
    long = [passage for passage in rest if passage not in short]
    # A fee beside the guide's words: half of the room is for what stands in lists.
    entries = entries[: (limit + 1) // 2 if rest else limit]
    short = short[: limit - len(entries)]
    with_title = finding.agent not in _GUIDED or len({passage.title for passage in short}) > 1
    quotes = [
        *(line_of(passage, with_title=True) for passage in entries),
        *(line_of(passage, with_title=with_title) for passage in short),
        *choose(long, question, limit - len(entries) - len(short)),
    ]
    return sorted((quote for quote in quotes if quote.text), key=lambda quote: quote.n)


def _is_entry(agent: str, passage: Passage) -> bool:
    if agent == "bulk_waste":
        return len(passage.text) <= _MOST_CHARS_OF_FEE and (" · " in passage.text or "원" in passage.text)
    return agent in _LISTED
