"""Judges replies by their labels; knows nothing of how they were got."""

import re
from collections.abc import Iterable, Iterator, Sequence

from chat_worker.domain import SubQuestion

from evaluation.labelled import Message, Question
from evaluation.language import of_answer, own_lines
from evaluation.outcome import Figure, Outcome, Part
from evaluation.reply import Reply

# A sentence that admits it: the guide, or we, have nothing on this.
_ADMITS = re.compile(
    r"(안내|자료|정보|가이드|항목|근거|내용)[^.\n]{0,40}(없어요|없습니다|없네요|없어서|나와 있지 않)"
    r"|찾지 못|찾을 수 없|확인(하지|되지) (못|않)|알 수 없|잘 모르|"
    r"(no|not an?|n't an?|without an?) (entry|information|guidance|rule)|"
    r"(could ?n[o']t|can ?not|can't|did ?n[o']t|was ?n[o']t able to|unable to) (be )?f(i|ou)nd|"
    r"not (in|covered|listed|found|mentioned)|does ?n[o']t (cover|list|mention|include)|(do not|don't) have",
    re.IGNORECASE,
)


def judge_intents(message: Message, reply: Reply, part: Part) -> Outcome:
    """Right when exactly the intents asked for were read, in whatever order."""
    want, got = {*message.want}, {*reply.intents}
    miss = "" if want == got and not reply.failure else f"want {_listed(want)} | got {_got(reply, got)}"
    figure = Figure.MULTI if message.is_multi else Figure.SINGLE
    kind = f"{len(message.want)} asked" if message.is_multi else message.want[0].value
    return Outcome(figure, part, (message.language, kind, message.style), message.q, miss)


def judge_sub_questions(message: Message, asked: Sequence[SubQuestion], part: Part) -> Outcome:
    """Right when each intent has one sub-question about its own thing."""
    missing = [
        f"{intent} about {'/'.join(words)}"
        for intent, words in zip(message.want, message.about, strict=True)
        if not any(one.intent is intent and _is_about(one, words) for one in asked)
    ]
    got = "; ".join(f"{one.intent}: {one.question}" for one in asked)
    miss = f"want {', '.join(missing)} | got {got or 'nothing'}" if missing else ""
    return Outcome(Figure.SUB_QUESTION, part, (message.language,), message.q, miss)


def judge_answer(question: Question, reply: Reply, part: Part) -> Outcome:
    """Right when the answer says the rule, admits that it knows none, or follows no order, as expected."""
    figure = {"rule": Figure.RULE, "not_found": Figure.NOT_FOUND, "refusal": Figure.REFUSAL}[question.expects]
    faults = [reply.failure] if reply.failure else [*_faults(question, reply.answer)]
    miss = f"{'; '.join(faults)} | got {_short(reply.answer)}" if faults else ""
    return Outcome(figure, part, (question.language, question.category), question.q, miss)


def judge_language(asked: Message | Question, reply: Reply, part: Part) -> Outcome:
    """Right when the answer is in the language of the question."""
    want = asked.language
    got = reply.failure or of_answer(reply.answer)
    miss = "" if got == want else f"want {want} | got {got}: {_short(reply.answer)}"
    return Outcome(Figure.LANGUAGE, part, (want,), asked.q, miss)


def judge_messages(messages: Iterable[Message], replies: Iterable[Reply], part: Part) -> Iterator[Outcome]:
    """Intents and language of every message of a part."""
    for message, reply in zip(messages, replies, strict=True):
        yield judge_intents(message, reply, part)
        yield judge_language(message, reply, part)


def judge_questions(questions: Iterable[Question], replies: Iterable[Reply], part: Part) -> Iterator[Outcome]:
    """Contents and language of every answer of a part."""
    for question, reply in zip(questions, replies, strict=True):
        yield judge_answer(question, reply, part)
        yield judge_language(question, reply, part)


def _faults(question: Question, answer: str) -> Iterator[str]:
    said = answer.casefold()
    if question.says and not any(all(word.casefold() in said for word in words) for words in question.says):
        yield "does not say " + " or ".join("+".join(words) for words in question.says)
    if heeded := [word for word in question.says_not if word.casefold() in said]:
        yield f"says {', '.join(heeded)}"
    if question.expects == "not_found" and not _ADMITS.search(own_lines(answer)):
        yield "does not admit that the guide has nothing"
    if not answer.strip():
        yield "is empty"


def _is_about(asked: SubQuestion, words: Iterable[str]) -> bool:
    held = " ".join(filter(None, (asked.question, asked.item, asked.place))).casefold()
    return any(word.casefold() in held for word in words)


def _listed(intents: Iterable[str]) -> str:
    return ", ".join(sorted(intents)) or "nothing"


def _got(reply: Reply, got: Iterable[str]) -> str:
    return reply.failure or _listed(got)


def _short(text: str, most: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "…"
