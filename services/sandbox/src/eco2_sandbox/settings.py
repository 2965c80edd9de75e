"""What the sandbox is started with."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from eco2_sandbox.behaviour import Behaviour, Fail, FailStatus, RequestScope
from eco2_sandbox.pace import ProfileName


class Settings(BaseSettings):
    """Settings of the sandbox, read from `SANDBOX_*` variables; times are in milliseconds."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8090, ge=0, le=65535)

    chat_model: str = "eco2-sandbox"
    embedding_model: str = "eco2-sandbox-embedding"
    embedding_dimensions: int = Field(default=1536, ge=1, le=4096)
    missing_model: str = "no-such-model"

    first_token_ms: float = Field(default=0, ge=0)
    token_ms: float = Field(default=0, ge=0)
    answer_tokens: int | None = Field(default=None, ge=1)
    fail_status: FailStatus | None = None
    fail_times: int | None = Field(default=None, ge=1)
    break_after_tokens: int | None = Field(default=None, ge=0)
    hang: bool = False
    for_requests: RequestScope = "all"

    profile: ProfileName = "instant"
    profile_seed: int = 1
    wrong_key: str = Field(default="wrong-key", description="The one key that every vendor refuses.")

    def behaviour(self) -> Behaviour:
        """Return the behaviour the server starts with, and returns to on a reset."""
        return Behaviour(
            first_token_ms=self.first_token_ms,
            token_ms=self.token_ms,
            answer_tokens=self.answer_tokens,
            fail=Fail(status=self.fail_status, times=self.fail_times) if self.fail_status else None,
            break_after_tokens=self.break_after_tokens,
            hang=self.hang,
            for_requests=self.for_requests,
        )
