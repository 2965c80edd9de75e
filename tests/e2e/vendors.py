"""The stand-ins for the model and all vendors, as a test tells them to behave and counts their visitors."""

from typing import Any

import httpx


class Vendors:
    """Talks to the sandbox's control door."""

    def __init__(self, sandbox: httpx.AsyncClient) -> None:
        self._sandbox = sandbox

    async def be_well(self) -> None:
        """Everybody answers at once, the model with its whole answer."""
        (await self._sandbox.put("/sandbox/behaviour", json={})).raise_for_status()
        (await self._sandbox.delete("/sandbox/vendors")).raise_for_status()

    async def behave(self, vendor: str, **behaviour: Any) -> None:
        """Has one vendor behave in this way and no other."""
        reply = await self._sandbox.put(f"/sandbox/vendors/{vendor}/behaviour", json=behaviour)
        reply.raise_for_status()

    async def fail(self, *vendors: str) -> None:
        """These are down."""
        for vendor in vendors:
            await self.behave(vendor, fail={"status": 500})

    async def asked(self) -> dict[str, int]:
        """How many requests each has had; `plain` are the model's replies that were not streamed."""
        return {name: tally["started"] for name, tally in await self._tallies()}

    async def answered(self, vendor: str) -> int:
        """How many requests to this one have been answered."""
        return dict(await self._tallies())[vendor]["completed"]

    async def _tallies(self) -> list[tuple[str, dict[str, int]]]:
        return list((await self._sandbox.get("/sandbox/requests")).json().items())
