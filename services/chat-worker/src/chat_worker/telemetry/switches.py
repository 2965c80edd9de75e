"""What an operator can set of LangSmith, under its old and its new names."""

from enum import Enum

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_ENDPOINT = "https://api.smith.langchain.com"
DEFAULT_PROJECT = "eco2-chat-worker"


class Mode(Enum):
    """Where the runs go."""

    OFF = "off"
    NATIVE = "native"
    """To LangSmith."""
    OTEL = "otel"
    """Into the job's trace; nothing is sent to LangSmith."""
    HYBRID = "hybrid"
    """To both."""


class LangSmithSwitches(BaseSettings):
    """Read when it is made: once, as the process starts. Of two names the first one that is not empty counts.

    Plain texts, because a value that is no `true` means off, and must not keep the worker from starting.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    langchain_tracing_v2: str = ""
    langsmith_tracing_v2: str = ""
    langsmith_tracing: str = ""
    langchain_api_key: SecretStr = SecretStr("")
    langsmith_api_key: SecretStr = SecretStr("")
    langchain_project: str = ""
    langsmith_project: str = ""
    langchain_endpoint: str = ""
    langsmith_endpoint: str = ""
    langsmith_otel_enabled: str = ""
    langsmith_tracing_mode: str = ""
    """`hybrid` sends the runs to LangSmith as well where LANGSMITH_OTEL_ENABLED has them in the traces."""
    environment: str = "development"

    @property
    def is_tracing(self) -> bool:
        """Whether runs are to be followed at all."""
        return _is_true(self.langchain_tracing_v2 or self.langsmith_tracing_v2 or self.langsmith_tracing)

    @property
    def api_key(self) -> str:
        """Empty without one."""
        old, new = (key.get_secret_value() for key in (self.langchain_api_key, self.langsmith_api_key))
        return old.strip() or new.strip()

    @property
    def project(self) -> str:
        """Where LangSmith files the runs."""
        return self.langchain_project or self.langsmith_project or DEFAULT_PROJECT

    @property
    def endpoint(self) -> str:
        """LangSmith's address."""
        return (self.langchain_endpoint or self.langsmith_endpoint or DEFAULT_ENDPOINT).rstrip("/")

    @property
    def mode(self) -> Mode:
        """Tracing without a key is off, except into our own traces, which need none."""
        if not self.is_tracing:
            return Mode.OFF
        asked = self.langsmith_tracing_mode.strip().lower()
        if _is_true(self.langsmith_otel_enabled) or asked in ("otel", "hybrid"):
            # LangSmith's own reading of the switch alone would be hybrid.
            return Mode.HYBRID if asked == "hybrid" and self.api_key else Mode.OTEL
        return Mode.NATIVE if self.api_key else Mode.OFF


def _is_true(text: str) -> bool:
    return text.strip().lower() == "true"
