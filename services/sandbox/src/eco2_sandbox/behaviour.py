"""How slow, or how broken, the stand-ins are asked to be."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

RequestKind = Literal["stream", "plain", "embeddings"]
RequestScope = Literal["stream", "plain", "all"]
FailStatus = Literal[400, 401, 429, 500]


class Fail(BaseModel):
    """A refusal with this status, for the next `times` requests or, with null, for every one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: FailStatus
    times: int | None = Field(default=None, ge=1)


class Behaviour(BaseModel):
    """One way to behave; "plain" covers every request that is not streamed, embeddings included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_token_ms: float = Field(default=0, ge=0)
    token_ms: float = Field(default=0, ge=0)
    answer_tokens: int | None = Field(
        default=None,
        ge=1,
        description="Streamed text is repeated or cut to this many tokens, for load tests.",
    )
    fail: Fail | None = None
    break_after_tokens: int | None = Field(default=None, ge=0, description="Streams only.")
    hang: bool = Field(default=False, description="The request is read and never answered.")
    for_requests: RequestScope = "all"

    def covers(self, kind: RequestKind) -> bool:
        """Say whether requests of this kind behave this way."""
        return self.for_requests == "all" or self.for_requests == ("stream" if kind == "stream" else "plain")

    def changed_by(self, wanted: "Behaviour") -> "Behaviour":
        """Return this behaviour with the fields that were named in `wanted`."""
        named = {name: getattr(wanted, name) for name in wanted.model_fields_set}
        return self.model_copy(update=named)


class Controls:
    """The behaviour in force: the one from the settings until another is put in its place."""

    def __init__(self, start: Behaviour) -> None:
        self._start = start
        self._put(start)

    def replace(self, wanted: Behaviour) -> Behaviour:
        """Put the wanted behaviour in force; fields it does not name are as at the start."""
        return self._put(self._start.changed_by(wanted))

    def reset(self) -> Behaviour:
        """Put the behaviour of the start in force again."""
        return self._put(self._start)

    def in_force(self, kind: RequestKind) -> Behaviour:
        """Return what a request of this kind is to meet."""
        for behaviour in (self.current, self._start):
            if behaviour.covers(kind):
                return behaviour
        return Behaviour()

    def take_failure(self, kind: RequestKind) -> FailStatus | None:
        """Return the status to refuse this request with, using up one of the asked-for times."""
        behaviour = self.in_force(kind)
        if behaviour.fail is None:
            return None
        if behaviour is not self.current or behaviour.fail.times is None:
            return behaviour.fail.status
        if self._failures_left == 0:
            return None
        self._failures_left -= 1
        return behaviour.fail.status

    def _put(self, behaviour: Behaviour) -> Behaviour:
        self.current = behaviour
        self._failures_left = (behaviour.fail and behaviour.fail.times) or 0
        return behaviour
