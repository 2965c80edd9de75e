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
from chat_api.auth.access import check_may_listen
from chat_api.auth.caller import UnusableSettings
from chat_api.deps import Services, turn_store
from chat_api.known_hosts import known_hosts
from chat_api.limits.stores import in_redis
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
    claims = RedisClaims(redis_url)
    services = Services(
        settings,
        queue,
        log,
        claims,
        telemetry,
        turn_store(settings),
        RedisPictures(redis_url, kept_s=settings.picture_ttl_s, max_bytes=settings.pictures_max_bytes),
        RabbitDeadLetters(settings.amqp_url.get_secret_value()),
        limits=in_redis(claims.link),
    )
    server = ApiServer(
        create_app(services, hosts=known_hosts(settings)), log, trusted_proxies=settings.trusted_proxies
    )
    settle()
    await server.serve(sockets=[listen(host, port)])


def main() -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="chat_api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    try:
        settings = ApiSettings()
        check_may_listen(settings, options.host)
        uvloop.run(serve(options.host, options.port, settings))
    except UnusableSettings as error:
        print(f"chat-api does not start: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"chat-api cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
