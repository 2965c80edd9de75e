"""Tells findings that are beside the point: the guide on contact lenses, for the lens of a lighthouse."""

from eco2_sandbox.brain import things
from eco2_sandbox.brain.prompt import Finding

# They answer with what their texts have most nearly; the others with what there is at a place or a time.
_NEAREST = frozenset({"waste_rag", "feedback", "bulk_waste", "web_search"})
# A dinosaur that is a toy is a toy.
_IS_PLAYTHING = (
    "장난감",
    "인형",
    "모형",
    "피규어",
    "풍선",
    "스티커",
    "그림",
    "책",
    "toy",
    "doll",
    "model",
    "figure",
    "sticker",
)


def is_beside_the_point(finding: Finding, question: str) -> bool:
    """Say whether a finding is on other things than the one that is asked about, which no household has."""
    if finding.agent not in _NEAREST or any(word in question.lower() for word in _IS_PLAYTHING):
        return False
    odd = things.odd_in(question)
    said = " ".join(f"{passage.title} {passage.text}" for passage in finding.passages).lower()
    return bool(odd) and not any(name.lower() in said for name in odd) and not _asks_of_more(question)


def _asks_of_more(question: str) -> bool:
    """Say whether it also asks about an everyday thing, of which the finding may be."""
    odd = things.names_in(question, of=things.ODD)
    named = (found for found in things.names_in(question) if not things.name_of(found[0], of=things.ODD))
    return any(
        all(question[one.end() : found.start()].strip() not in ("", "'s") for one in odd) for found in named
    )
