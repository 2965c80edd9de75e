"""The one thing that travels to the worker: a question with everything needed to answer it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from eco2_bus.events import EntryId

SCHEMA = 1
MESSAGE_MAX_CHARS = 8_000
IMAGE_MAX_BYTES = 5 * 1024 * 1024

JobId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
SessionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
EntryIdText = Annotated[str, AfterValidator(lambda text: str(EntryId.parse(text)))]


class MalformedJob(ValueError):
    """The message body is no ChatJob of a schema this version knows."""


class NewerJob(MalformedJob):
    """The message body is of a later schema: a newer version can read it."""


class Location(BaseModel):
    """WGS84 coordinates in degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class Resume(BaseModel):
    """What a job that waited goes on with; without a location nobody answered in time."""

    model_config = ConfigDict(frozen=True)

    after: EntryIdText
    """The `input_required` entry that is answered."""
    location: Location | None = None

    @property
    def name(self) -> str:
        """Tells the user's answer to an entry from its time-out."""
        return f"{self.after} {'timed out' if self.location is None else 'answered'}"


class ChatJob(BaseModel):
    """One question of one user; the JSON body of the AMQP message, schema 1.

    A field that this version does not know is let pass. The schema's number grows when a job must not be run
    without knowing of a change.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    schema_version: Literal[1] = Field(default=1, alias="schema")
    job_id: JobId
    session_id: SessionId
    owner: str
    message: str = Field(min_length=1, max_length=MESSAGE_MAX_CHARS)
    image_url: str | None = None
    location: Location | None = None
    created_at_ms: int
    resume: Resume | None = None

    def to_body(self) -> bytes:
        """The message body: UTF-8 JSON."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    @classmethod
    def from_body(cls, body: bytes) -> "ChatJob":
        """Reads a message body; raises MalformedJob, and NewerJob when its schema is a later one."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            if (schema := _later_schema(error)) is not None:
                raise NewerJob(f"schema {schema}") from None
            raise MalformedJob(f"{error.error_count()} invalid fields") from None


def _later_schema(error: ValidationError) -> int | None:
    """The number of a schema beyond this version's, whatever else is wrong."""
    for one in error.errors(include_url=False, include_context=False):
        if one["loc"] == ("schema",) and type(one["input"]) is int and SCHEMA < one["input"] < 1_000_000:
            return one["input"]
    return None
