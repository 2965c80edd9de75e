"""What an operator can set, by environment variable or `.env`."""

import ipaddress
import math
from datetime import timedelta
from typing import Annotated

from eco2_bus import pictures
from eco2_bus.job import IMAGE_MAX_BYTES
from eco2_bus.log import LogTimes
from limits import parse
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chat_api.auth.settings import AuthSettings


def _rate(told: str) -> str:
    told = told.strip()
    if told:
        # Raises ValueError for what is none.
        parse(told)
    return told


def _networks(told: str) -> str:
    names = [name for part in told.split(",") if (name := part.strip())]
    for name in names:
        ipaddress.ip_network(name)
    return ",".join(names)


CLOCKS_DIFFER_S = 120.0
"""Twice what workers allow for it, the clock of this process, and a worker that is just about to begin."""

Rate = Annotated[str, AfterValidator(_rate)]
Networks = Annotated[str, AfterValidator(_networks)]


class ApiSettings(AuthSettings):
    """Settings of chat-api; every name is an environment variable in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    amqp_url: SecretStr = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    queue_max_length: int = Field(default=10_000, ge=1)
    """Jobs that may wait; beyond it a submit gets `503`. The worker must use the same number."""

    database_url: SecretStr = SecretStr("sqlite:///.data/eco2.sqlite")
    """Where the turns are: `sqlite:///path`, `postgresql://...`, or `memory:` for tests. The worker's too."""
    database_auto_upgrade: bool = False
    """True lets the API upgrade a PostgreSQL that is out of date; its own SQLite file it always upgrades."""
    picture_ttl_s: int = Field(default=pictures.KEPT_S, ge=1)
    pictures_max_bytes: int = Field(default=pictures.MAX_BYTES, ge=IMAGE_MAX_BYTES)
    """Of all pictures together; beyond it the oldest make room. The worker must use the same number."""
    input_wait_s: float = Field(default=120, gt=0)
    """How long a job waits for its user; the worker must use the same number."""

    cors_origins: list[str] = Field(default_factory=list[str])
    log_level: str = "INFO"

    body_max_bytes: int = 7_500_000
    """Room for a picture of 5 MB as a data URL, and little else."""

    limit_submits_per_user: Rate = ""
    """Such as `30/minute`; empty, there is no limit. Without authentication a user is an address."""
    limit_submits_per_address: Rate = ""
    """The same for an IPv4 address or an IPv6 /64, see `TRUSTED_PROXIES`."""
    limit_live_jobs_per_user: int = Field(default=0, ge=0, le=1_000)
    """Questions of a user that may wait or be answered at a time; 0 is no limit."""
    fair_share: int = Field(default=4, ge=0)
    """Questions of a user that may wait or be answered at a time before further ones stand back behind
    those of others; 0 makes no difference between users."""
    limit_open_streams_per_user: int = Field(default=0, ge=0)
    """Streams that one process keeps open for a user; 0 is no limit."""
    limit_open_streams: int = Field(default=0, ge=0)
    """Streams that one process keeps open at all; 0 is no limit."""
    trusted_proxies: Networks = ""
    """Addresses and networks, with commas, whose `X-Forwarded-For` is believed; nobody else's is."""

    heartbeat_s: float = Field(default=15.0, gt=0, lt=60)
    send_timeout_s: float = Field(default=30.0, gt=0)
    """A viewer that takes nothing for this long is closed; it resumes when it comes back."""
    session_wait_s: float = 5.0
    """How long `on_busy=interrupt` waits for the interrupted job to end."""
    job_max_age_s: float = Field(default=300, ge=0)
    """The worker's: a question that nobody has begun by then ends with `expired`; 0 lets none expire."""
    idempotency_wait_s: float = 5.0
    idempotency_ttl_s: int = 24 * 3600

    langchain_tracing_v2: str = ""
    langsmith_tracing_v2: str = ""
    langsmith_tracing: str = ""
    langchain_api_key: SecretStr = SecretStr("")
    langsmith_api_key: SecretStr = SecretStr("")
    langchain_endpoint: str = ""
    langsmith_endpoint: str = ""
    langsmith_otel_enabled: str = ""
    langsmith_tracing_mode: str = ""
    """The same as the worker's: feedback goes where the runs go."""

    log_ttl_s: int = 24 * 3600
    log_ttl_after_end_s: int = 3600
    answer_ttl_s: int = 24 * 3600

    @property
    def begun_within_s(self) -> float:
        """Nobody begins an older question any more, unless a worker has had it before."""
        return self.job_max_age_s + CLOCKS_DIFFER_S if self.job_max_age_s else math.inf

    @property
    def langsmith_key(self) -> str:
        """Empty without one."""
        old, new = (key.get_secret_value() for key in (self.langchain_api_key, self.langsmith_api_key))
        return old.strip() or new.strip()

    @property
    def langsmith_url(self) -> str:
        """LangSmith's address."""
        told = self.langchain_endpoint or self.langsmith_endpoint or "https://api.smith.langchain.com"
        return told.rstrip("/")

    @property
    def sends_runs_to_langsmith(self) -> bool:
        """Whether the worker's runs are there to be rated."""
        tracing = self.langchain_tracing_v2 or self.langsmith_tracing_v2 or self.langsmith_tracing
        mode = self.langsmith_tracing_mode.strip().lower()
        only_traces = self.langsmith_otel_enabled.strip().lower() == "true" or mode == "otel"
        is_there = mode == "hybrid" or not only_traces
        return tracing.strip().lower() == "true" and bool(self.langsmith_key) and is_there

    @property
    def log_times(self) -> LogTimes:
        """How long event logs and answers are kept."""
        return LogTimes(
            timedelta(seconds=self.log_ttl_s),
            timedelta(seconds=self.log_ttl_after_end_s),
            timedelta(seconds=self.answer_ttl_s),
        )
