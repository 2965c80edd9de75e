"""`python -m eco2_character`: serves the characters over gRPC until SIGTERM or Ctrl-C."""

import asyncio
import logging
import signal
import sys

from eco2_telemetry.setup import set_up
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from eco2_character.catalogue import BadCatalogue, explain
from eco2_character.metrics import serving
from eco2_character.server import CannotListen, open_server
from eco2_character.settings import CharacterSettings

_log = logging.getLogger(__name__)


async def serve(settings: CharacterSettings) -> None:
    """Serves until it is told to leave."""
    leaving = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, leaving.set)
    telemetry = set_up("character", log_level=settings.log_level)
    registry = CollectorRegistry()
    try:
        with serving(settings.metrics_host, settings.metrics_port, registry):
            async with open_server(settings, telemetry, registry=registry) as server:
                _log.info("the character service listens on %s, port %d", server.host, server.port)
                await leaving.wait()
                _log.info("leaving; calls under way have %g s", settings.grace_s)
    finally:
        telemetry.shut_down()


def main() -> int:
    """Reads the settings and serves."""
    try:
        asyncio.run(serve(CharacterSettings()))
    except ValidationError as error:
        print(f"character: {'; '.join(explain(error))}", file=sys.stderr)
        return 1
    except (BadCatalogue, CannotListen) as error:
        print(f"character: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"character: cannot serve metrics: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
