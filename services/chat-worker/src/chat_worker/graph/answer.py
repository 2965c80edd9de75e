"""The one answer, grounded in the findings, streamed as the model says it."""

from collections.abc import Sequence
from importlib import resources
from typing import Any

from chat_worker.domain import Finding, Message
from chat_worker.graph.memory import earlier
from chat_worker.graph.state import ChatState, TurnContext
from chat_worker.quoting import quoted

_PROMPT = resources.files("chat_worker").joinpath("prompts/answer.md").read_text(encoding="utf-8")
_CUT_SHORT = {"ko": "\n\n(답변이 길어져 여기서 줄였어요.)", "en": "\n\n(The answer was cut short here.)"}


async def answer(state: ChatState, context: TurnContext) -> ChatState:
    """Streams the answer to the sink and gives the turn to memory."""
    question, findings = state.get("question", ""), state.get("findings", [])
    context.sink.sources(findings)
    for finding in findings:
        # Viewers threw away what an earlier attempt had drawn, and its agent is not asked again.
        if (image := finding.get("image")) is not None:
            context.sink.image(image["url"], image["alt"])
    parts: list[str] = []

    def heard(text: str, tokens: int) -> bool:
        parts.append(text)
        return context.sink.token(text, tokens)

    end = await context.tools.model.stream(_messages(state, context, question, findings), heard)
    if end.finish_reason == "length":
        cut_short = _CUT_SHORT[state.get("language", "ko")]
        parts.append(cut_short)
        context.sink.token(cut_short, 0)
    text = "".join(parts)
    return {
        "answer": text,
        "finish_reason": end.finish_reason,
        "usage": [end.usage],
        # What the turn was made of is not needed once it is answered.
        "findings": None,  # pyright: ignore[reportReturnType]
        "location": None,
        "image_url": None,
        "sighting": None,
        "history": [{"job_id": state.get("job_id", ""), "question": question, "answer": text}],
    }


def _messages(
    state: ChatState, context: TurnContext, question: str, findings: Sequence[Finding]
) -> list[Message]:
    content = quoted("findings", numbered(findings)) + "\n" + quoted("question", question)
    return [
        {"role": "system", "content": _PROMPT},
        *context.trim(earlier(state.get("history", []), state.get("job_id", ""))),
        {"role": "user", "content": content},
    ]


def numbered(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """The findings as the model sees them, every passage with the number it is cited by."""
    number = 0
    shown: list[dict[str, Any]] = []
    for finding in findings:
        passages: list[dict[str, Any]] = []
        for passage in finding["passages"]:
            number += 1
            passages.append(
                {
                    "n": number,
                    "title": passage["title"],
                    "section": passage["section"],
                    "text": passage["text"],
                    "source": passage["document"],
                    "revised": passage["revised"],
                }
            )
        shown.append({**finding, "passages": passages})
    return [finding for finding in shown if finding["passages"] or finding["note"]]
