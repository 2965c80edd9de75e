"""Calls that several callers wait for together."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SharedCalls(Generic[K, T]):
    """Runs one call per key at a time; whoever asks meanwhile waits for the same one.

    A caller that gives up leaves the call to the others; the last one ends it.
    """

    def __init__(self) -> None:
        self._running: dict[K, asyncio.Task[T]] = {}
        self._waiting: dict[K, int] = {}

    async def __call__(self, key: K, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the running call for the key gives, or a new one."""
        if (task := self._running.get(key)) is None:
            task = self._running[key] = asyncio.create_task(call())
            self._waiting[key] = 0
        self._waiting[key] += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._leave(key, task)

    def _leave(self, key: K, task: asyncio.Task[T]) -> None:
        if self._running.get(key) is not task:
            return
        self._waiting[key] -= 1
        if task.done() or not self._waiting[key]:
            # Forgotten before it has ended, or a newcomer would wait for a call that is being cancelled.
            del self._running[key], self._waiting[key]
            task.cancel()
