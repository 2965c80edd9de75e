"""`python -m chat_api`: one API process over RabbitMQ and Redis."""

import argparse
import sys

import uvloop
from eco2_bus.rabbit_dead_letters import RabbitDeadLetters
from eco2_bus.rabbitmq import RabbitJobQueue
from eco2_bus.redis_pictures import RedisPictures
from eco2_bus.redis_streams import RedisEventLog
from eco2_telemetry.process import settle
from eco2_telemetry.setup import set_up

from chat_api.app import create_app
from chat_api.deps import Services, turn_store
from chat_api.redis_claims import RedisClaims
from chat_api.server import ApiServer, listen
from chat_api.settings import ApiSettings


async def serve(host: str, port: int, settings: ApiSettings) -> None:
    """Serves until SIGTERM or Ctrl-C."""
    telemetry = set_up("chat-api", log_level=settings.log_level)
    redis_url = settings.redis_url.get_secret_value()
    log = RedisEventLog(redis_url, times=settings.log_times)
    queue = RabbitJobQueue(
        settings.amqp_url.get_secret_value(),
        max_length=settings.queue_max_length,
        waiting_s=settings.input_wait_s,
        name="chat-api",
    )
    services = Services(
        settings,
        queue,
        log,
        RedisClaims(redis_url),
        telemetry,
        turn_store(settings),
        RedisPictures(redis_url, kept_s=settings.picture_ttl_s),
        RabbitDeadLetters(settings.amqp_url.get_secret_value()),
    )
    server = ApiServer(create_app(services), log)
    settle()
    await server.serve(sockets=[listen(host, port)])


def main() -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="chat_api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    try:
        uvloop.run(serve(options.host, options.port, ApiSettings()))
    except OSError as error:
        print(f"chat-api cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
