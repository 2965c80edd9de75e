"""Nothing is told to a caller whose credential has ended."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TypeVar

from chat_api.auth.caller import Caller

_T = TypeVar("_T")


class CredentialEnded(Exception):
    """The caller's credential ended while it was being told something."""


def while_valid(caller: Caller, parts: AsyncIterator[_T]) -> AsyncIterator[_T]:
    """The parts until the credential ends; then raises CredentialEnded."""
    if caller.expires_at_s is None:
        return parts
    return _until(caller.expires_at_s, parts)


async def _until(expires_at_s: float, parts: AsyncIterator[_T]) -> AsyncIterator[_T]:
    while (left_s := expires_at_s - time.time()) > 0:
        try:
            async with asyncio.timeout(left_s):
                part = await anext(parts)
        except StopAsyncIteration:
            return
        except TimeoutError:
            break
        yield part
    raise CredentialEnded
