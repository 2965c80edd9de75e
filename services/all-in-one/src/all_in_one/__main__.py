"""`python -m all_in_one`: the whole product on one port, with nothing else installed."""

import argparse
import os
import sys
import time

import uvloop
from chat_api.auth.caller import UnusableSettings

from all_in_one.product import CannotListen, open_product


async def serve(host: str, port: int) -> None:
    """Serves until Ctrl-C or SIGTERM."""
    async with open_product(host, port) as product:
        print(f"Eco² Chat is ready after {_seconds_since_start():.1f} s: {product.url}", flush=True)
        if product.uses_stand_ins:
            print("Sample data: a stand-in answers. OPENAI_API_KEY brings a real model in.", flush=True)
        print("Ctrl-C stops it.", flush=True)
        await product.server.left.wait()
        print("Stopping.", flush=True)


def _seconds_since_start() -> float:
    """Since the process began, imports included; from /proc/self/stat, field 22, in clock ticks."""
    try:
        with open("/proc/self/stat", encoding="ascii") as stat:
            ticks = int(stat.read().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return time.process_time()


def main() -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="all_in_one", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    # Who looks at a terminal wants the lines of `serve`, not the start-up of servers.
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    try:
        uvloop.run(serve(options.host, options.port))
    except CannotListen as error:
        print(
            f"Cannot listen on {options.host}:{options.port}: {error}. "
            "Choose another port with PORT=... (make) or --port.",
            file=sys.stderr,
        )
        return 1
    except UnusableSettings as error:
        print(f"Eco² Chat does not start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
