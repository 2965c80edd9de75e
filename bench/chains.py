"""How each chain is started: the simulator alone, the product, the references."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from functools import partial

from eco2_devservers import free_port

from bench import system
from bench.chain import LOGS, Chain, Servers, StartChain, wait_until_ready
from bench.load_client import chat_target, model_target
from bench.product import TELEMETRY, product_commands
from bench.targets import PRODUCT

Command = tuple[list[str], Mapping[str, str]]


@contextlib.contextmanager
def _direct(servers: Servers) -> Iterator[Chain]:
    yield Chain("direct", model_target(servers.model_url))


@contextlib.contextmanager
def _services(name: str, url: str, servers: Servers, commands: Mapping[str, Command]) -> Iterator[Chain]:
    logs = {process: LOGS / f"{name}-{process}.log" for process in commands}
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for process, (arguments, environment) in commands.items():
            processes[process] = system.start_module(
                arguments, core=system.SYSTEM_CORE, log=logs[process], environment=environment
            )
        wait_until_ready(url + "/readyz", processes, logs)
        yield Chain(name, chat_target(url), url, servers, processes)
    finally:
        for started in processes.values():
            system.stop(started)


@contextlib.contextmanager
def _product(name: str, servers: Servers) -> Iterator[Chain]:
    port = free_port()
    with product_commands(servers, port, TELEMETRY[name]) as commands, contextlib.ExitStack() as stack:
        url = f"http://127.0.0.1:{port}"
        yield stack.enter_context(_services(name, url, servers, commands))


@contextlib.contextmanager
def _reference(module: str, name: str, servers: Servers) -> Iterator[Chain]:
    port = free_port()
    to_servers = ["--redis", servers.redis.url, "--amqp", servers.rabbitmq.url, "--model", servers.model_url]
    commands: dict[str, Command] = {
        "api": ([module, "api", "--port", str(port), *to_servers], {}),
        "worker": ([module, "worker", *to_servers], {}),
    }
    with _services(name, f"http://127.0.0.1:{port}", servers, commands) as chain:
        yield chain


CHAINS: dict[str, StartChain] = {
    "direct": _direct,
    PRODUCT: partial(_product, PRODUCT),
    "reference": partial(_reference, "bench.reference", "reference"),
    "reference-aio": partial(_reference, "bench.reference_aiohttp", "reference-aio"),
    "no-langgraph": partial(_reference, "bench.no_langgraph", "no-langgraph"),
    **{name: partial(_product, name) for name in TELEMETRY if name != PRODUCT},
}
USUAL = tuple(name for name in CHAINS if name == PRODUCT or name not in TELEMETRY)
"""Those of a run that names none."""
