"""Jobs of the burst for the slots that the main lane leaves free.

RabbitMQ gives a consumer a fixed number at a time, and quorum queues know no limit over several consumers. So
the second lane's consumer has its share and no more, and what is free beyond it is filled by asking.
"""

import asyncio
import contextlib
from collections.abc import Callable

from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from eco2_bus import topology

LOOK_AGAIN_S = 0.5
"""How soon a job that comes while its lane's share is taken is noticed, at the latest."""


class Loans:
    """How many deliveries of each lane one consumer has out."""

    def __init__(self) -> None:
        self._out: dict[str, set[object]] = {lane: set() for lane in topology.LANES}
        self.moved = asyncio.Event()

    def lend(self, lane: str, delivery: object) -> None:
        """One more."""
        self._out[lane].add(delivery)
        self.moved.set()

    def settle(self, lane: str, delivery: object) -> None:
        """One less; nothing for one that was settled before."""
        self._out[lane].discard(delivery)
        self.moved.set()

    def out(self, lane: str) -> int:
        """Deliveries that are not settled."""
        return len(self._out[lane])


class BurstPull:
    """Asks for jobs of the burst while there is room; `stop` leaves none on its way."""

    def __init__(
        self,
        burst: AbstractQueue,
        prefetch: int,
        loans: Loans,
        on_message: Callable[[AbstractIncomingMessage], None],
    ) -> None:
        self._burst = burst
        self._prefetch = prefetch
        self._loans = loans
        self._on_message = on_message
        self._is_stopped = False

    async def run(self) -> None:
        """Until it is stopped; raises what aio-pika raises when the channel is gone."""
        while not self._is_stopped:
            self._loans.moved.clear()
            while self._has_room():
                # Without a time-out: a reply that nobody waits for any more would be a job that nobody has.
                message = await self._burst.get(fail=False, timeout=None)
                if message is None:
                    break
                self._on_message(message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S if self._is_share_taken() else None):
                    await self._loans.moved.wait()

    def stop(self) -> None:
        """Asks for no more."""
        self._is_stopped = True
        self._loans.moved.set()

    def _has_room(self) -> bool:
        main, burst = self._loans.out(topology.JOBS), self._loans.out(topology.BURST)
        room = topology.burst_room(self._prefetch, main)
        return not self._is_stopped and self._is_share_taken() and burst < room

    def _is_share_taken(self) -> bool:
        """Until then RabbitMQ brings them by itself."""
        return self._loans.out(topology.BURST) >= topology.burst_share(self._prefetch)
