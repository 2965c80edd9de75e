"""How an agent says what it has found, and what it has not."""

from collections.abc import Sequence

from chat_worker.domain import Finding, Language, Passage, Turn

THING_MAX_CHARS = 80


def found(agent: str, passages: Sequence[Passage], note: str = "") -> Finding:
    """Evidence."""
    return Finding(agent=agent, status="ok", passages=list(passages), note=note)


def not_found(agent: str, note: str) -> Finding:
    """A normal empty result, which the answer says."""
    return Finding(agent=agent, status="not_found", passages=[], note=note)


def failed(agent: str, note: str) -> Finding:
    """A look-up that did not work, which the answer says."""
    return Finding(agent=agent, status="failed", passages=[], note=note)


def passage(
    title: str,
    text: str,
    document: str,
    *,
    section: str = "",
    url: str | None = None,
    revised: str | None = None,
) -> Passage:
    """One piece of evidence."""
    return Passage(title=title, section=section, text=text, document=document, url=url, revised=revised)


def thing_of(turn: Turn) -> str:
    """What the question is about, short enough for a note."""
    return (turn.asked.item or turn.question)[:THING_MAX_CHARS]


def told(turn: Turn, words: dict[Language, str], **values: object) -> str:
    """A sentence in the user's language."""
    return words[turn.language].format(**values)


def together(*parts: str) -> str:
    """The parts that say something, in one line."""
    return " · ".join(part for part in parts if part)
