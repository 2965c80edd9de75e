"""Writes answers out of the findings' own sentences: it quotes, cites, and says what is missing."""

from collections.abc import Sequence
from functools import lru_cache

from eco2_sandbox.brain.aliens import is_beside_the_point, unnamed_in
from eco2_sandbox.brain.extract import Quote, sentences
from eco2_sandbox.brain.phrases import PHRASES, Phrases, small_talk, topic
from eco2_sandbox.brain.pieces import pieces
from eco2_sandbox.brain.prompt import AnswerPrompt, Finding, Language, language_of
from eco2_sandbox.brain.quotes import quoted

_MOST_ECHOED_PIECES = 40


def answer(prompt: AnswerPrompt) -> str:
    """Return an answer of two to eight sentences made of the findings, or small talk without any."""
    return _answer(prompt.model_dump_json())


@lru_cache(maxsize=512)
def _answer(prompt_json: str) -> str:
    prompt = AnswerPrompt.model_validate_json(prompt_json)
    language = language_of(prompt.question)
    phrases = PHRASES[language]
    prompt = _admitting(prompt, phrases)
    if not prompt.findings:
        return small_talk(prompt.question, language) or phrases.nothing
    found = quoted(prompt)
    missing = _missing(prompt.findings, [finding for finding, _ in found], language)
    return "\n\n".join([*_topics(found, language), *missing, phrases.closing])


def _admitting(prompt: AnswerPrompt, phrases: Phrases) -> AnswerPrompt:
    """Return the prompt with findings that admit it where they are on something else than was asked."""
    findings = [_honest(one, prompt.question, phrases) for one in prompt.findings]
    return prompt.model_copy(update={"findings": findings})


def _honest(finding: Finding, question: str, phrases: Phrases) -> Finding:
    if is_beside_the_point(finding, question):
        return Finding(agent=finding.agent, status="not_found")
    thing = None if finding.note else unnamed_in(finding, question)
    return finding.model_copy(update={"note": phrases.unnamed.format(thing=thing)}) if thing else finding


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


def _topics(said: Sequence[tuple[Finding, list[Quote]]], language: Language) -> list[str]:
    phrases = PHRASES[language]
    found = [(finding, quotes) for finding, quotes in said if quotes]
    remarks = [finding.note for finding, quotes in said if not quotes]
    if not found:
        return remarks
    foreign = phrases.foreign if _is_foreign(found, language) else ""
    if len(found) == 1:
        finding, quotes = found[0]
        lead = phrases.one_topic.format(topic=topic(finding.agent, language))
        return [lead + foreign, _list(finding, quotes), *remarks]
    headed = [f"**{topic(finding.agent, language)}**\n{_list(finding, quotes)}" for finding, quotes in found]
    return [phrases.many_topics + foreign, *headed, *remarks]


def _is_foreign(found: Sequence[tuple[Finding, list[Quote]]], language: Language) -> bool:
    said = [quote.text for _, quotes in found for quote in quotes]
    return language == "en" and any(language_of(text) == "ko" for text in said)


def _list(finding: Finding, quotes: Sequence[Quote]) -> str:
    lines = [f"- {quote.text} [{quote.n}]" for quote in quotes]
    return "\n".join([*lines, finding.note] if finding.note else lines)


def _missing(findings: Sequence[Finding], found: Sequence[Finding], language: Language) -> list[str]:
    phrases = PHRASES[language]
    failed = [finding for finding in findings if finding.status == "failed"]
    absent = [finding for finding in findings if finding not in failed and finding not in found]
    silent = ((phrases.failed, failed), (phrases.not_found, absent))
    lines = [
        words.format(topics=", ".join(dict.fromkeys(topic(one.agent, language) for one in group)))
        for words, group in ((words, [one for one in group if not one.note]) for words, group in silent)
        if group
    ]
    return [*lines, *dict.fromkeys(_remark(one, language) for one in (*failed, *absent) if one.note)]


def _remark(finding: Finding, language: Language) -> str:
    """Return a finding's note, which says what is amiss, behind its topic where it does not name it."""
    about = topic(finding.agent, language)
    is_named = about.lower() in finding.note.lower()
    return finding.note if is_named else f"{about[0].upper()}{about[1:]}: {finding.note}"
