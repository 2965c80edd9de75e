"""Private instances of real servers, and a faulty network to them, for tests, benchmarks and chaos runs."""

from eco2_devservers.jaeger_server import JaegerServer, jaeger_program
from eco2_devservers.ports import free_port
from eco2_devservers.postgres_server import PostgresServer
from eco2_devservers.program import Program
from eco2_devservers.programs import MissingProgram, missing_programs
from eco2_devservers.prometheus_server import PrometheusServer
from eco2_devservers.rabbit_server import RabbitServer
from eco2_devservers.redis_server import RedisServer
from eco2_devservers.server import Server, ServerFailed
from eco2_devservers.tcp_proxy import TcpProxy

__all__ = [
    "JaegerServer",
    "MissingProgram",
    "PostgresServer",
    "Program",
    "PrometheusServer",
    "RabbitServer",
    "RedisServer",
    "Server",
    "ServerFailed",
    "TcpProxy",
    "free_port",
    "jaeger_program",
    "missing_programs",
]
