"""`python -m eco2_sandbox`: serves the sandbox on one address."""

import argparse

import uvicorn

from eco2_sandbox.app import create_app
from eco2_sandbox.settings import Settings

# A hung request on purpose must not hold the process up for longer than this.
SHUTDOWN_S = 2


def main() -> None:
    """Serve until interrupted; options win over `SANDBOX_*` variables."""
    settings = Settings()
    parser = argparse.ArgumentParser(prog="eco2_sandbox", description=__doc__)
    parser.add_argument("--host", default=settings.host)
    parser.add_argument("--port", type=int, default=settings.port)
    options = parser.parse_args()
    uvicorn.run(
        create_app(settings),
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


if __name__ == "__main__":
    main()
