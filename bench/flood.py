"""`python -m bench.flood`: thousands of viewers on one API process, its restart, and how they come back."""

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

import uvloop
from eco2_devservers import RabbitServer, RedisServer, free_port

from bench import load_client, report, system
from bench.chain import LOGS, Servers, wait_until_ready
from bench.http_stream import HttpConnection
from bench.pace import Pace
from bench.product import product_commands
from bench.viewer import Storm, Viewer

JOBS = 100
# A token a second, for as long as it takes to open all, restart, and see all come back.
PACE = Pace(tokens=150, token_ms=1000)
OPEN_AT_ONCE = 50
SETTLE_S = 3.0
STORM_MAX_S = 120.0


class Product:
    """The product's processes, whose API can be restarted on its port."""

    def __init__(self, commands: dict[str, tuple[list[str], dict[str, str]]], port: int) -> None:
        self._commands = commands
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.address = ("127.0.0.1", port)

    @property
    def api(self) -> subprocess.Popen[bytes]:
        """The API's process of now."""
        return self._processes["api"]

    def start(self, name: str) -> None:
        """Starts a process and, for the API, waits until it is ready."""
        arguments, environment = self._commands[name]
        log = LOGS / f"flood-{name}.log"
        self._processes[name] = system.start_module(
            arguments, core=system.SYSTEM_CORE, log=log, environment=environment
        )
        if name == "api":
            url = "http://{}:{}/readyz".format(*self.address)
            wait_until_ready(url, {name: self.api}, {name: log})

    def stop(self) -> None:
        """Ends all of it."""
        for process in self._processes.values():
            system.stop(process)


@contextlib.contextmanager
def _product() -> Iterator[Product]:
    with contextlib.ExitStack() as stack:
        with system.on_core(system.SYSTEM_CORE):
            redis, rabbitmq = stack.enter_context(RedisServer()), stack.enter_context(RabbitServer())
        _, model_url = stack.enter_context(system.simulator())
        stack.enter_context(system.on_core(system.LOAD_CORE))
        port = free_port()
        commands = stack.enter_context(product_commands(Servers(redis, rabbitmq, model_url), port))
        product = Product({name: (command, dict(env)) for name, (command, env) in commands.items()}, port)
        stack.callback(product.stop)
        product.start("worker")
        product.start("api")
        yield product


async def _all_back(storm: Storm, streams: int) -> bool:
    deadline = time.monotonic() + STORM_MAX_S
    while storm.back < streams and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return storm.back >= streams


async def _flood(product: Product, streams: int, *, kills: bool) -> int:
    storm = Storm()
    bare = system.rss_bytes(product.api.pid)
    urls: list[str] = []
    for _ in range(JOBS):
        async with await HttpConnection.open(*product.address) as connection:
            urls.append(await load_client.submit(connection, PACE))
    viewers = [Viewer(urls[number % JOBS], product.address, storm) for number in range(streams)]
    watching: list[asyncio.Task[None]] = []
    began = time.monotonic()
    for first in range(0, streams, OPEN_AT_ONCE):
        batch = viewers[first : first + OPEN_AT_ONCE]
        watching += [asyncio.create_task(viewer.watch()) for viewer in batch]
        async with asyncio.timeout(30):
            await asyncio.gather(*(viewer.is_open.wait() for viewer in batch))
    print(f"{streams:,} streams open in {time.monotonic() - began:.1f} s, on {JOBS} jobs of a token a second")
    await asyncio.sleep(SETTLE_S)
    held = system.rss_bytes(product.api.pid) - bare
    print(
        f"the API holds {held / streams / 1024:.1f} KB a stream that is being served ({held / 2**20:.0f} MB)"
    )

    storm.refused = storm.failed = storm.back = 0
    gone = time.monotonic()
    (product.api.kill if kills else product.api.terminate)()
    await asyncio.to_thread(product.api.wait)
    ended = time.monotonic()
    await asyncio.to_thread(product.start, "api")
    ready = time.monotonic()
    all_back = await _all_back(storm, streams)
    print(
        f"{'SIGKILL' if kills else 'SIGTERM'}: ended after {ended - gone:.1f} s, "
        f"ready again after {ready - gone:.1f} s, "
        f"{storm.back:,} of {streams:,} back after {time.monotonic() - gone:.1f} s; "
        f"refused while it was down {storm.refused:,}, by the new one {storm.failed:,}"
    )
    async with asyncio.timeout(PACE.tokens * PACE.token_ms / 1000 + STORM_MAX_S):
        await asyncio.gather(*watching)
    faults = dict.fromkeys(("lost", "doubled", "misordered"), 0)
    for viewer in viewers:
        for fault in viewer.faults:
            faults[fault] += 1
    came_back = sum(viewer.breaks > 0 for viewer in viewers)
    print(f"all {streams:,} read to the end, {came_back:,} of them after a break; viewers with text {faults}")
    return int(any(faults.values()) or not all_back)


def main() -> int:
    """Flood, restart, and say whether anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.flood", description=__doc__)
    parser.add_argument("--streams", type=int, default=5000)
    parser.add_argument("--kill", action="store_true", help="SIGKILL instead of SIGTERM")
    options = parser.parse_args()
    system.allow_many_files()
    before = report.surroundings()
    print(f"{before['cores']} cores, load average {before['load_average']}")
    with _product() as product:
        return uvloop.run(_flood(product, options.streams, kills=options.kill))


if __name__ == "__main__":
    sys.exit(main())
