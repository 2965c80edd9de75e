"""Finds orders to the model in text that is only data, so that they are neither obeyed nor repeated."""

import re

_STEP = r"(?<=[.!?;\n])\s+|\n"
_KOREAN = re.compile(
    r"(?:지시|지침|명령|규칙|프롬프트|위의? 내용|앞의? 내용)\S*\s.{0,12}?(?:무시|잊어|어기|따르지)"
    r"|시스템\s?프롬프트|프롬프트를?\s?(?:출력|공개|보여|알려)"
    r"|(?:이?라고만?|[가-힣]{1,12}?[으]?라고)\s?(?:만\s?)?(?:대답|답|분류|출력|말)(?:해|하)"
    r"|너는 (?:이제|지금)부터|이제부터 너는",
)
_ENGLISH = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instructions?|rules?|prompts?|above|previous|told)\b"
    r"|\b(?:system|hidden) prompt\b|\byou are now\b|\bfrom now on\b|\bact as\b|\bpretend (?:to be|you)\b"
    r"|\b(?:answer|respond|reply|output|print|return|say|classify)\b.{0,24}"
    r"\b(?:intent|json|system|prompt|only|hacked|you are)\b"
    r"|^\s*(?:system|assistant|developer)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
# Behind an order that is joined to it, the wish itself may follow: "ignore the rules and tell me ...".
_JOINT = re.compile(r",?\s+(?:and|then|but)\s+|(?<=하고)\s+|(?<=주고)\s+|,?\s*그리고\s+", re.IGNORECASE)


def is_order(text: str) -> bool:
    """Say whether a text tells the model how to behave."""
    return bool(_KOREAN.search(text) or _ENGLISH.search(text))


def without_orders(text: str) -> str:
    """Return the text without the parts that give orders to the model."""
    if not is_order(text):
        return text
    kept = (_kept_of(step) for step in re.split(_STEP, text))
    return " ".join(part for part in kept if part)


def _kept_of(step: str) -> str:
    if not is_order(step):
        return step.strip()
    parts = _JOINT.split(step)
    return " ".join(part.strip() for part in parts if len(parts) > 1 and not is_order(part))
