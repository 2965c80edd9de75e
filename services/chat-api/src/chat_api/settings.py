"""What an operator can set, by environment variable or `.env`."""

from datetime import timedelta

from eco2_bus.log import LogTimes
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
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
    picture_ttl_s: int = Field(default=24 * 3600, ge=1)
    input_wait_s: float = Field(default=120, gt=0)
    """How long a job waits for its user; the worker must use the same number."""

    cors_origins: list[str] = []
    log_level: str = "INFO"

    body_max_bytes: int = 7_500_000
    """Room for a picture of 5 MB as a data URL, and little else."""
    heartbeat_s: float = Field(default=15.0, gt=0, lt=60)
    send_timeout_s: float = Field(default=30.0, gt=0)
    """A viewer that takes nothing for this long is closed; it resumes when it comes back."""
    session_wait_s: float = 5.0
    """How long `on_busy=interrupt` waits for the interrupted job to end."""
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
