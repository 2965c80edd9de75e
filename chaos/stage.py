"""Everything that runs: two APIs, three workers, a model, and the real servers, each behind a proxy."""

import asyncio
import contextlib
import signal
from pathlib import Path

import aiohttp
from eco2_devservers import PostgresServer, Program, RabbitServer, Server, TcpProxy, free_port

from chaos.redis_pair import RedisPair
from chaos.release import ROOT, python_path
from chaos.waiting import StageFailed, came_true

APIS = ("api-1", "api-2")
WORKERS = ("worker-1", "worker-2", "worker-3")
READY_WITHIN_S = 150.0
"""On a machine that is busy with other things as well; a quiet one needs 10 s."""
LEAVES_WITHIN_S = 60.0
DRAIN_S = 6


class Stage:
    """The product over real servers. `edges` are the ways between two kinds of process, to be broken."""

    def __init__(self, folder: Path, previous: Path | None) -> None:
        self.folder = folder
        self.previous = previous
        self.pair = RedisPair()
        self.rabbit = RabbitServer()
        self.postgres = PostgresServer()
        self.edges: dict[str, list[TcpProxy]] = {}
        self.programs: dict[str, Program] = {}
        self._ports = {name: free_port() for name in (*APIS, "model")}
        self._doors: dict[str, TcpProxy] = {}
        self._to_rabbit: dict[str, TcpProxy] = {}

    @property
    def doors(self) -> list[str]:
        """The APIs through their proxies."""
        return [f"http://127.0.0.1:{self._doors[name].port}" for name in APIS]

    @property
    def back_doors(self) -> list[str]:
        """The APIs themselves."""
        return [f"http://127.0.0.1:{self._ports[name]}" for name in APIS]

    async def open(self) -> None:
        """Start everything; raises StageFailed or ServerFailed."""
        servers = (self.rabbit.start, self.postgres.start, self.pair.start)
        await asyncio.gather(*(asyncio.to_thread(start) for start in servers))
        self._open_edges()
        upgrade = self._program("upgrade", "-m", "eco2_history", "upgrade", DATABASE_URL=self.postgres.url)
        model = self._program(
            "model", "-m", "chaos.model", "--port", str(self._ports["model"]), PYTHONPATH=str(ROOT)
        )
        self.programs["model"] = model
        upgrade.start()
        model.start()
        await came_true(lambda: not upgrade.is_running, READY_WITHIN_S)
        if upgrade.exit_code != 0:
            raise StageFailed(f"the database's upgrade\n{upgrade.said()}")
        for name in (*APIS, *WORKERS):
            self.use(name, None)
            self.programs[name].start()
        await asyncio.gather(*(self.is_back(name) for name in (*APIS, *WORKERS)))
        await asyncio.to_thread(self.rabbit.settle)

    def close(self) -> None:
        """End everything at once."""
        for program in self.programs.values():
            program.kill()
        self.pair.close()
        for proxy in (proxy for proxies in self.edges.values() for proxy in proxies):
            proxy.close()
        self.postgres.close()
        self.rabbit.close()

    def use(self, name: str, tree: Path | None) -> None:
        """Have a process come from that tree's sources at its next start; None is this version."""
        make = self._api if name in APIS else self._worker
        self.programs[name] = make(name, {} if tree is None else {"PYTHONPATH": python_path(tree)})

    async def start(self, name: str) -> None:
        """Start a process and return once it is at work."""
        self.programs[name].start()
        await self.is_back(name)

    async def leave(self, name: str) -> None:
        """SIGTERM, and wait for the process to finish or hand back what it has; raises StageFailed."""
        program = self.programs[name]
        program.signal(signal.SIGTERM)
        await came_true(lambda: not program.is_running, LEAVES_WITHIN_S)
        if program.exit_code != 0:
            raise StageFailed(f"{name} left with code {program.exit_code}\n{program.said()[-3000:]}")

    async def is_back(self, name: str) -> None:
        """Wait until a process is at work."""
        is_ready = self._answers if name in APIS else self._consumes
        program = self.programs[name]

        async def is_so() -> bool:
            return not program.is_running or await is_ready(name)

        if not await came_true(is_so, READY_WITHIN_S) or not program.is_running:
            raise StageFailed(f"{name} did not come up\n{program.said()[-3000:]}")

    def to_rabbit(self, worker: str) -> TcpProxy:
        """That worker's own way to the broker: its lease."""
        return self._to_rabbit[worker]

    def heal(self) -> None:
        """Let everything pass on every edge."""
        for proxy in (proxy for proxies in self.edges.values() for proxy in proxies):
            proxy.delay_s = 0
            proxy.unblock()

    async def restarted(self, server: Server) -> None:
        """Start a server again, on its data."""
        await asyncio.to_thread(server.start)

    def _open_edges(self) -> None:
        self._doors = {name: TcpProxy(self._ports[name]).start() for name in APIS}
        self._to_rabbit = {name: TcpProxy(self.rabbit.port).start() for name in WORKERS}
        self.edges = {
            "client - API": list(self._doors.values()),
            "API - Redis": [self.pair.new_front()],
            "API - RabbitMQ": [TcpProxy(self.rabbit.port).start()],
            "API - PostgreSQL": [TcpProxy(self.postgres.port).start()],
            "worker - Redis": [self.pair.new_front()],
            "worker - RabbitMQ": list(self._to_rabbit.values()),
            "worker - PostgreSQL": [TcpProxy(self.postgres.port).start()],
            "Redis - replica": [self.pair.copying],
            "worker - model": [TcpProxy(self._ports["model"]).start()],
        }

    def _api(self, name: str, env: dict[str, str]) -> Program:
        settings = {
            **self._servers("API", self.edges["API - RabbitMQ"][0]),
            "HEARTBEAT_S": "5",
            "SEND_TIMEOUT_S": "2",
        }
        return self._program(name, "-m", "chat_api", "--port", str(self._ports[name]), **settings, **env)

    def _worker(self, name: str, env: dict[str, str]) -> Program:
        (model,) = self.edges["worker - model"]
        settings = {
            **self._servers("worker", self._to_rabbit[name]),
            "OPENAI_API_KEY": "any",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{model.port}/v1",
            "OPENAI_MODEL": "chaos",
            "DRAIN_S": str(DRAIN_S),
            # Room for the long answers of slow viewers.
            "ANSWER_MAX_CHARS": "400000",
        }
        return self._program(name, "-m", "chat_worker", **settings, **env)

    def _servers(self, kind: str, rabbit: TcpProxy) -> dict[str, str]:
        (to_redis,), (to_postgres,) = self.edges[f"{kind} - Redis"], self.edges[f"{kind} - PostgreSQL"]
        return {
            "REDIS_URL": f"redis://127.0.0.1:{to_redis.port}/0",
            "AMQP_URL": self.rabbit.url.replace(str(self.rabbit.port), str(rabbit.port)),
            "DATABASE_URL": self.postgres.url.replace(str(self.postgres.port), str(to_postgres.port)),
        }

    def _program(self, name: str, *arguments: str, **env: str) -> Program:
        return Program(name, self.folder, *arguments, **env)

    async def _answers(self, api: str) -> bool:
        url = f"http://127.0.0.1:{self._ports[api]}/livez"
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as http,
                http.get(url) as reply,
            ):
                return reply.status == 200
        return False

    async def _consumes(self, worker: str) -> bool:
        return self._to_rabbit[worker].connections > 0
