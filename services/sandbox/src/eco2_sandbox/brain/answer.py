"""Writes answers out of the findings' own sentences: it quotes, cites, and says what is missing."""

from collections.abc import Sequence
from functools import lru_cache

from eco2_sandbox.brain.extract import Quote, choose, sentences
from eco2_sandbox.brain.phrases import PHRASES, small_talk, topic
from eco2_sandbox.brain.pieces import pieces
from eco2_sandbox.brain.prompt import AnswerPrompt, Finding, Language, language_of

# Quotes in one answer; with its frame an answer stays within eight sentences.
_MOST_QUOTES = 5
_MOST_ECHOED_PIECES = 40


def answer(prompt: AnswerPrompt) -> str:
    """Return an answer of two to eight sentences made of the findings, or small talk without any."""
    return _answer(prompt.model_dump_json())


@lru_cache(maxsize=512)
def _answer(prompt_json: str) -> str:
    prompt = AnswerPrompt.model_validate_json(prompt_json)
    language = language_of(prompt.question)
    phrases = PHRASES[language]
    if not prompt.findings:
        return small_talk(prompt.question, language) or phrases.nothing
    found = _quoted(prompt)
    missing = _missing(prompt.findings, [finding for finding, _ in found], language)
    return "\n\n".join([*_topics(found, language), *missing, phrases.closing])


def answer_plain_text(text: str) -> str:
    """Return a polite reply to a message that is not in the worker's form."""
    language = language_of(text)
    friendly = small_talk(text, language)
    if friendly:
        return friendly
    nothing = PHRASES[language].nothing
    lines = sentences(text)
    if not lines:
        return nothing
    heard = pieces(lines[0])
    echo = "".join(heard[:_MOST_ECHOED_PIECES]) + ("…" if len(heard) > _MOST_ECHOED_PIECES else "")
    return f"> {echo}\n\n{nothing}"


def _quoted(prompt: AnswerPrompt) -> list[tuple[Finding, list[Quote]]]:
    good = [finding for finding in prompt.findings if finding.status == "ok"]
    share = max(1, _MOST_QUOTES // max(1, len(good)))
    quoted = [(finding, choose(finding.passages, prompt.question, share)) for finding in good]
    return [(finding, quotes) for finding, quotes in quoted if quotes or finding.note]


def _topics(found: Sequence[tuple[Finding, list[Quote]]], language: Language) -> list[str]:
    phrases = PHRASES[language]
    if not found:
        return []
    if len(found) == 1:
        finding, quotes = found[0]
        return [phrases.one_topic.format(topic=topic(finding.agent, language)), _list(finding, quotes)]
    headed = [f"**{topic(finding.agent, language)}**\n{_list(finding, quotes)}" for finding, quotes in found]
    return [phrases.many_topics, *headed]


def _list(finding: Finding, quotes: Sequence[Quote]) -> str:
    lines = [f"- {quote.text} [{quote.n}]" for quote in quotes]
    return "\n".join([*lines, finding.note] if finding.note else lines)


def _missing(findings: Sequence[Finding], found: Sequence[Finding], language: Language) -> list[str]:
    phrases = PHRASES[language]
    failed = [finding for finding in findings if finding.status == "failed"]
    absent = [finding for finding in findings if finding not in failed and finding not in found]
    lines = [
        words.format(topics=", ".join(dict.fromkeys(topic(one.agent, language) for one in group)))
        for words, group in ((phrases.failed, failed), (phrases.not_found, absent))
        if group
    ]
    notes = [one.note for one in (*failed, *absent) if one.note]
    return [*lines, *notes]
