"""Logs as JSON lines, each with the trace id, and the job id where there is one."""

import logging
import sys
import time
from contextvars import ContextVar
from datetime import UTC, datetime

import orjson

from eco2_telemetry import propagation

_QUIET = (
    "aiormq",
    "aio_pika",
    "aiosqlite",
    "httpcore",
    "httpx",
    "httpx2",
    "langsmith",
    "openai",
    "psycopg",
    "sqlalchemy",
    "sse_starlette",
    "uvicorn.access",
)

job_id: ContextVar[str] = ContextVar("job_id", default="")
"""The job that the current task works on."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line; an exception's text goes to the log and nowhere else."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace_id := propagation.current_trace_id():
            line["trace_id"] = trace_id
        if job := job_id.get():
            line["job_id"] = job
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


class SeldomFromExporters(logging.Filter):
    """Lets each complaint of the OpenTelemetry SDK pass once a minute: a collector may be away for hours."""

    def __init__(self, pause_s: float = 60) -> None:
        super().__init__()
        self._pause_s = pause_s
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("opentelemetry."):
            return True
        now, said = time.monotonic(), self._said.get(str(record.msg))
        if said is not None and now - said < self._pause_s:
            return False
        self._said[str(record.msg)] = now
        return True


def set_up_logs(level: str) -> None:
    """Has the whole process log JSON lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(SeldomFromExporters())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # At DEBUG some of them repeat what is asked, answered and stored: a level of ours is not for them.
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
