"""What a session remembers, as far as a run has a say in it."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class Memory(Protocol):
    """Decides when the checkpoints of a turn are written."""

    def begin(self, session_id: str, fence: Callable[[], Awaitable[None]]) -> None:
        """A turn begins; nothing of it is written before `fence` returns."""
        ...

    async def end(self, session_id: str) -> None:
        """Writes what is left of the turn; raises what the fence raises."""
        ...

    def forget(self, session_id: str) -> None:
        """Drops what is left of the turn."""
        ...
