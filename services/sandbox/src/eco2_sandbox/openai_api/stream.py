"""Sends a completion as chunks, at the pace asked for."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Send

from eco2_sandbox.behaviour import Behaviour
from eco2_sandbox.delivery import Work, send_body, send_head
from eco2_sandbox.traffic import Ending

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
]
# Tokens that are ready together share a send; more than this would keep other streams waiting.
_MOST_PER_SEND = 64


@dataclass(frozen=True)
class Frames:
    """A whole stream as ready-made bytes: the role, one frame per token, and the end."""

    opening: bytes
    tokens: Sequence[bytes]
    ending: bytes


def stream(frames: Frames, behaviour: Behaviour, request_id: str) -> Work:
    """Return the work of sending these frames; a break leaves the body without its end."""
    breaks = behaviour.break_after_tokens is not None
    tokens = frames.tokens[: behaviour.break_after_tokens]
    headers = [*_HEADERS, (b"x-request-id", request_id.encode())]

    async def send_frames(send: Send) -> Ending:
        now = asyncio.get_running_loop().time
        first_at = now() + behaviour.first_token_ms / 1000
        await asyncio.sleep(first_at - now())
        await send_head(send, headers)
        await send_body(send, frames.opening, is_last=False)
        await _send_tokens(send, tokens, first_at, behaviour.token_ms / 1000)
        if breaks:
            return "broken"
        await send_body(send, frames.ending, is_last=True)
        return "completed"

    return send_frames


async def _send_tokens(send: Send, tokens: Sequence[bytes], first_at: float, token_s: float) -> None:
    # Token i is due at first_at + i * token_s, however late the ones before it were.
    now = asyncio.get_running_loop().time
    sent = 0
    while sent < len(tokens):
        await asyncio.sleep(max(0.0, first_at + sent * token_s - now()))
        due = _due(now() - first_at, token_s, len(tokens))
        upto = min(max(due, sent + 1), sent + _MOST_PER_SEND)
        await send_body(send, b"".join(tokens[sent:upto]), is_last=False)
        sent = upto


def _due(elapsed_s: float, token_s: float, total: int) -> int:
    if token_s <= 0:
        return total
    return min(total, math.floor(elapsed_s / token_s) + 1)
