"""Serves the all-in-one product as its own command does, and prints how late its event loop ran.

Usage: python lag_probe.py PORT
"""

import asyncio
import json
import sys

import uvloop
from all_in_one.product import open_product

TICK_S = 0.005


async def sample(late_ms: list[float]) -> None:
    """Notes how much later than asked each short sleep ends."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + TICK_S
        await asyncio.sleep(TICK_S)
        late_ms.append((loop.time() - due) * 1000)


async def serve(port: int) -> None:
    """Serves until it is told to stop; start-up and shut-down are not sampled."""
    late_ms: list[float] = []
    async with open_product("127.0.0.1", port) as product:
        sampling = asyncio.create_task(sample(late_ms))
        await product.server.left.wait()
        sampling.cancel()
    late_ms.sort()
    figures = {f"p{part}": round(late_ms[len(late_ms) * part // 100], 1) for part in (50, 95, 99)}
    print(json.dumps({"samples": len(late_ms), **figures, "max": round(late_ms[-1], 1)}), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
