"""Runs one process of a reference chain: `api` or `worker`."""

import argparse

import openai
import uvicorn
import uvloop

from bench.reference_api import create_app
from bench.reference_worker import Answer, run_worker


def main(chain: str, answer: Answer, *, has_aiohttp: bool = False) -> None:
    """Read the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("process", choices=("api", "worker"))
    parser.add_argument("--port", type=int, default=0)
    for server in ("redis", "amqp", "model"):
        parser.add_argument(f"--{server}", required=True, help="URL")
    arguments = parser.parse_args()
    if arguments.process == "worker":
        http_client = openai.DefaultAioHttpClient() if has_aiohttp else None
        model = openai.AsyncOpenAI(base_url=arguments.model, api_key="none", http_client=http_client)
        uvloop.run(run_worker(chain, arguments.redis, arguments.amqp, model, answer))
    else:
        app = create_app(chain, arguments.redis, arguments.amqp)
        uvicorn.run(app, port=arguments.port, access_log=False, log_level="warning", backlog=4096)
