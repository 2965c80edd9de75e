"""What an operator can set, by environment variable or `.env`."""

from datetime import timedelta

from eco2_bus import pictures
from eco2_bus.job import IMAGE_MAX_BYTES
from eco2_bus.log import LogTimes
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from chat_worker.telemetry.switches import LangSmithSwitches


class WorkerSettings(BaseSettings):
    """Settings of chat-worker; every name is an environment variable in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    amqp_url: SecretStr = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    queue_max_length: int = Field(default=10_000, ge=1)
    """The same number as chat-api's."""
    database_url: SecretStr = SecretStr("sqlite:///.data/eco2.sqlite")
    """Turns and what sessions remember: `sqlite:///path`, `postgresql://...`, or `memory:` for tests."""
    database_auto_upgrade: bool = False
    """True lets the worker upgrade a PostgreSQL that is out of date."""
    picture_ttl_s: int = Field(default=pictures.KEPT_S, ge=1)
    pictures_max_bytes: int = Field(default=pictures.MAX_BYTES, ge=IMAGE_MAX_BYTES)
    """Of all pictures together; beyond it the oldest make room. All processes must use the same number."""
    input_wait_s: float = Field(default=120, gt=0)
    """How long a job waits for its user; all processes must use the same number."""

    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str | None = None
    openai_model: str = "gpt-4.1-mini"
    openai_image_model: str = "gpt-image-1"
    openai_embedding_model: str = ""
    """Where it is set, the guide's search by n-grams is fused with one by meaning."""

    kakao_rest_api_key: SecretStr = SecretStr("")
    data_go_kr_key: SecretStr = SecretStr("")
    """One key for weather, municipal rules, fees, collection points and prices."""
    tavily_api_key: SecretStr = SecretStr("")
    """Without it the web is searched through ddgs."""
    character_target: str = ""
    """`host:port` of the character service; empty, there are no characters."""
    character_tls: bool = False
    stand_ins_url: str = ""
    """Where stand-ins answer for every vendor without a key; empty, such a vendor is said to be missing."""

    worker_concurrency: int = Field(default=64, ge=1, le=1_000)
    """Jobs of the main lane at a time, its AMQP prefetch; beside a burst up to twice as many in all."""
    job_max_age_s: float = Field(default=300, ge=0)
    """A question that nobody has begun by then ends with the error `expired`; 0 lets none expire."""
    job_deadline_s: float = Field(default=180, gt=0, le=1_500)
    """Well below RabbitMQ's consumer timeout of 30 minutes, or a long job would be delivered twice."""
    drain_s: float = Field(default=20, ge=0)
    """After SIGTERM: how long running jobs may finish before they are handed back."""
    poison_after: int = Field(default=3, ge=1)
    answer_max_chars: int = Field(default=20_000, ge=1)
    """A longer answer is cut: the call to the model ends, and the text says so."""
    answer_max_tokens: int = Field(default=2_000, ge=1)
    """The same limit for the model to keep."""
    job_max_tokens: int = Field(default=0, ge=0)
    """What the calls of one job may take, in and out; an answer under way is cut there. 0 is no limit."""
    is_sample_data: bool = False
    """True when stand-ins answer instead of real vendors; the answer says so."""

    metrics_port: int | None = Field(default=None, ge=1, le=65_535)
    """Where `/metrics`, `/livez` and `/readyz` are served; unset, they are not."""
    metrics_host: str = "127.0.0.1"

    langsmith: LangSmithSwitches = Field(default_factory=LangSmithSwitches)
    """Who follows the graph's runs; nobody unless it is switched on."""

    log_level: str = "INFO"
    log_ttl_s: int = 24 * 3600
    log_ttl_after_end_s: int = 3600
    answer_ttl_s: int = 24 * 3600

    @property
    def log_times(self) -> LogTimes:
        """How long event logs and answers are kept."""
        return LogTimes(
            timedelta(seconds=self.log_ttl_s),
            timedelta(seconds=self.log_ttl_after_end_s),
            timedelta(seconds=self.answer_ttl_s),
        )
