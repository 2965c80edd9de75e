"""A private Redis."""

from typing import ClassVar, Literal

from eco2_devservers.ports import reply_of
from eco2_devservers.server import Server

Appendonly = Literal["no", "everysec", "always"]


class RedisServer(Server):
    """Redis without snapshots; `appendonly` says how often it writes its log to disk, if it keeps one.

    `maxmemory` is in Redis's own notation ("64mb"); with it, writes beyond it are refused (noeviction).
    """

    name: ClassVar[str] = "Redis"

    def __init__(
        self,
        appendonly: Appendonly = "no",
        maxmemory: str | int | None = None,
        replica_of: "RedisServer | None" = None,
    ) -> None:
        super().__init__()
        self._appendonly = appendonly
        self._maxmemory = maxmemory
        self._master = replica_of

    @property
    def url(self) -> str:
        """`redis://` URL of database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _prepare(self) -> None:
        """Redis makes what it needs."""

    def _command(self) -> list[str]:
        options = {"--bind": "127.0.0.1", "--port": str(self.port), "--dir": str(self.folder), "--save": ""}
        # By default a master waits 5 s for more replicas before the first copy.
        options["--repl-diskless-sync-delay"] = "0"
        if self._appendonly != "no":
            options |= {"--appendonly": "yes", "--appendfsync": self._appendonly}
        if self._maxmemory is not None:
            options["--maxmemory"] = str(self._maxmemory)
        if self._master is not None:
            options["--replicaof"] = f"127.0.0.1 {self._master.port}"
        return ["redis-server", *(word for option in options.items() for word in option)]

    def _is_ready(self) -> bool:
        if not reply_of(self.port, b"PING\r\n").startswith(b"+PONG"):
            return False
        if self._master is None or not self._master.is_running:
            return True
        return b"master_link_status:up" in reply_of(self.port, b"INFO replication\r\n")
