"""The body of a job message: what was written is read, anything else is MalformedJob."""

import orjson
import pytest
from eco2_bus.job import ChatJob, Location, MalformedJob, NewerJob, Resume
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.bus.brokers import new_job

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
LOCATIONS = st.builds(Location, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))
ENTRY_IDS = st.builds("{}-{}".format, st.integers(0, 10**19 - 1), st.integers(1, 10**19 - 1))
JOBS = st.builds(
    ChatJob,
    job_id=st.uuids().map(lambda id_: id_.hex),
    session_id=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    owner=st.text(max_size=30),
    message=st.text(min_size=1, max_size=200),
    image_url=st.none() | st.text(max_size=30),
    location=st.none() | LOCATIONS,
    created_at_ms=st.integers(0, 2**53),
    resume=st.none() | st.builds(Resume, after=ENTRY_IDS, location=st.none() | LOCATIONS),
)


def read(body: bytes) -> ChatJob | None:
    try:
        return ChatJob.from_body(body)
    except MalformedJob:
        return None


@given(JOBS)
@settings(max_examples=100, deadline=None)
def test_a_job_is_read_as_it_was_written(job: ChatJob) -> None:
    assert ChatJob.from_body(job.to_body()) == job


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
@example(b"")
@example(b"null")
@example(b"[" * 100_000)
@example(b'{"a":' * 50_000)
@example(b"\xff" * 100)
@example(b"1" * 10_000)
def test_bytes_that_are_no_job_are_malformed(body: bytes) -> None:
    assert read(body) is None


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_json_that_is_no_job_is_malformed(value: object) -> None:
    assert read(str(value).encode("utf-8", "replace")) is None


@given(JOBS, st.integers(0, 5_000))
@settings(max_examples=100, deadline=None)
def test_a_body_that_was_cut_off_is_malformed(job: ChatJob, at: int) -> None:
    body = job.to_body()
    assert read(body[: min(at, len(body) - 1)]) is None


@given(
    JOBS, JSON, st.sampled_from(["schema", "job_id", "session_id", "message", "location", "created_at_ms"])
)
@settings(max_examples=100, deadline=None)
def test_a_field_of_another_kind_is_malformed_or_is_kept(job: ChatJob, value: object, field: str) -> None:
    changed = orjson.loads(job.to_body()) | {field: value}
    try:
        body = orjson.dumps(changed)
    except TypeError:  # an integer beyond 64 bits
        return
    assert isinstance(read(body), ChatJob | None)


@pytest.mark.parametrize("schema", [0, 2, 1.5, "1", "x", None, [1], -1])
def test_another_schema_is_malformed(schema: object) -> None:
    body = orjson.loads(new_job().to_body()) | {"schema": schema}
    with pytest.raises(MalformedJob):
        ChatJob.from_body(orjson.dumps(body))


@pytest.mark.parametrize("schema", [2, 3, 999_999])
@pytest.mark.parametrize("more", [{}, {"message": {"parts": []}}, {"job_id": 7, "session_id": None}])
def test_a_later_schema_is_told_from_what_nobody_can_read(schema: int, more: dict[str, object]) -> None:
    body = orjson.loads(new_job().to_body()) | {"schema": schema} | more
    with pytest.raises(NewerJob, match=f"^schema {schema}$"):
        ChatJob.from_body(orjson.dumps(body))


@pytest.mark.parametrize("schema", [0, -1, 1.5, "2", [2], 10**12])
def test_a_schema_that_is_no_later_one_is_nothing_to_wait_for(schema: object) -> None:
    body = orjson.loads(new_job().to_body()) | {"schema": schema}
    with pytest.raises(MalformedJob) as refused:
        ChatJob.from_body(orjson.dumps(body))
    assert refused.type is MalformedJob


@pytest.mark.parametrize("job_id", ["", "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", "../" + "a" * 29])
def test_a_job_id_that_could_name_another_key_is_malformed(job_id: str) -> None:
    body = orjson.loads(new_job().to_body()) | {"job_id": job_id}
    with pytest.raises(MalformedJob):
        ChatJob.from_body(orjson.dumps(body))


def test_a_field_that_this_version_does_not_know_is_no_reason_to_refuse() -> None:
    job = new_job()
    assert ChatJob.from_body(orjson.dumps(orjson.loads(job.to_body()) | {"later": 1})) == job


def test_the_reason_does_not_repeat_what_the_user_wrote() -> None:
    body = orjson.loads(new_job("비밀").to_body()) | {"created_at_ms": "비밀"}
    with pytest.raises(MalformedJob) as refused:
        ChatJob.from_body(orjson.dumps(body))
    assert "비밀" not in str(refused.value)


def test_the_body_of_a_job_that_goes_on_with_nothing_is_what_it_was_before_jobs_could_wait() -> None:
    job = ChatJob(job_id="0" * 32, session_id="s", owner="u", message="m", created_at_ms=1)
    assert job.to_body() == (
        b'{"schema":1,"job_id":"00000000000000000000000000000000","session_id":"s","owner":"u",'
        b'"message":"m","created_at_ms":1}'
    )


@pytest.mark.parametrize("after", ["", "-1", "0-0", "1-0", "01-1", "1", "1-1 ", "a-b", 1, None])
def test_a_job_that_goes_on_after_no_entry_is_malformed(after: object) -> None:
    body = orjson.loads(new_job().to_body()) | {"resume": {"after": after}}
    with pytest.raises(MalformedJob):
        ChatJob.from_body(orjson.dumps(body))
