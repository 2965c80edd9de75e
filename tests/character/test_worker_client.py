"""The worker's Characters port over gRPC: what it asks, and what it makes of every kind of trouble."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from chat_worker.adapters.character_grpc import GrpcCharacters
from chat_worker.errors import AuthError, BadRequest, NoData, SchemaDrift, Transient, VendorError
from chat_worker.ports.characters import Character, Characters
from eco2_character_api import SERVICE_NAME
from eco2_character_api.v1 import character_pb2 as pb
from eco2_telemetry.grpc import Context

from tests.character.running import LIMIT_S, Gate, Spans, asking, free_port, serving


async def test_every_call_of_the_port_is_answered(characters: GrpcCharacters) -> None:
    port: Characters = characters

    matched = await port.match("종이팩")
    named = await port.named("Gable")
    everybody = await port.all()

    assert matched == named
    assert named in everybody
    assert isinstance(named, Character)
    assert (named.name, named.material) == ("지붕이", "종이팩")
    assert all((named.personality, named.line, named.tip))


async def test_unknown_words_are_no_data(characters: GrpcCharacters) -> None:
    with pytest.raises(NoData):
        await characters.named("피카츄")
    with pytest.raises(NoData):
        await characters.match("우라늄")
    with pytest.raises(NoData):
        await characters.match("\ud83d")


@pytest.mark.parametrize("words", ["", "가" * 101])
async def test_words_that_the_service_refuses_are_a_bad_request(
    characters: GrpcCharacters, words: str
) -> None:
    with pytest.raises(BadRequest):
        await characters.match(words)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, AuthError),
        (grpc.StatusCode.PERMISSION_DENIED, AuthError),
        (grpc.StatusCode.UNIMPLEMENTED, SchemaDrift),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Transient),
        (grpc.StatusCode.INTERNAL, Transient),
        (grpc.StatusCode.UNKNOWN, Transient),
        (grpc.StatusCode.CANCELLED, Transient),
    ],
)
async def test_a_refusal_is_an_error_of_its_kind_and_not_tried_again(
    spans: Spans, code: grpc.StatusCode, error: type[VendorError]
) -> None:
    calls: list[Context] = []

    async def refuse(context: Context) -> None:
        calls.append(context)
        await context.abort(code, "no")

    async with serving(spans.service, before=refuse) as port, asking(spans.worker, port) as characters:
        with pytest.raises(error) as raised:
            await characters.match("종이")

    assert type(raised.value) is error
    assert len(calls) == 1


async def test_an_unavailable_service_is_asked_again(spans: Spans) -> None:
    calls: list[Context] = []

    async def refuse_twice(context: Context) -> None:
        calls.append(context)
        if len(calls) < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")

    async with serving(spans.service, before=refuse_twice) as port, asking(spans.worker, port) as characters:
        found = await characters.match("종이")

    assert found.name == "사각이"
    assert len(calls) == 3


async def test_a_slow_service_is_left_at_the_deadline(spans: Spans) -> None:
    gate = Gate()
    async with (
        serving(spans.service, before=gate.hold) as port,
        asking(spans.worker, port, deadline_s=0.2) as characters,
    ):
        with pytest.raises(Transient, match="DEADLINE_EXCEEDED"):
            await characters.match("종이")

        async with asyncio.timeout(LIMIT_S):
            await gate.cancelled.wait()


async def test_the_deadline_travels_with_the_call(spans: Spans) -> None:
    remaining_s: list[float] = []

    async def look(context: Context) -> None:
        remaining_s.append(context.time_remaining())

    async with serving(spans.service, before=look) as port, asking(spans.worker, port) as characters:
        await characters.match("종이")

    assert 0 < remaining_s[0] <= LIMIT_S


async def test_a_cancelled_question_is_cancelled_at_the_service(spans: Spans) -> None:
    gate = Gate()
    async with serving(spans.service, before=gate.hold) as port, asking(spans.worker, port) as characters:
        asked = asyncio.create_task(characters.match("종이"))
        async with asyncio.timeout(LIMIT_S):
            await gate.entered.wait()
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            await gate.cancelled.wait()


async def test_a_service_that_is_started_later_is_found(spans: Spans) -> None:
    port = free_port()
    async with asking(spans.worker, port) as characters:
        with pytest.raises(Transient):
            await characters.match("종이")

        async with serving(spans.service, port=port):
            found = await _as_soon_as_it_answers(characters)

    assert found.name == "사각이"


async def test_a_service_that_was_restarted_is_found_again(spans: Spans) -> None:
    async with serving(spans.service) as port, asking(spans.worker, port) as characters:
        before = await characters.match("종이")
    async with asking(spans.worker, port) as characters:
        async with serving(spans.service, port=port):
            assert await characters.match("종이") == before
        with pytest.raises(Transient, match="UNAVAILABLE"):
            await characters.match("종이")

        async with serving(spans.service, port=port):
            again = await _as_soon_as_it_answers(characters)

    assert again == before


async def test_a_service_that_is_down_costs_no_more_than_the_deadline(spans: Spans) -> None:
    clock = asyncio.get_running_loop().time
    async with asking(spans.worker, free_port(), deadline_s=1) as characters:
        began = clock()
        with pytest.raises(Transient):
            await characters.all()

    assert clock() - began < 5


@pytest.mark.parametrize(
    "reply",
    [b"\xff\xff\xff", b"", pb.MatchCharacterResponse(character={"name": "이코"}).SerializeToString()],
    ids=["no protobuf", "no character", "half a character"],
)
async def test_a_reply_without_a_whole_character_is_schema_drift(spans: Spans, reply: bytes) -> None:
    async def answer(_request: bytes, _context: Context) -> bytes:
        return reply

    async with _strange_service(answer) as port, asking(spans.worker, port) as characters:
        with pytest.raises(SchemaDrift):
            await characters.match("종이")


async def _as_soon_as_it_answers(characters: GrpcCharacters) -> Character:
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return await characters.match("종이")
            except Transient:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def _strange_service(answer: Callable[[bytes, Context], Awaitable[bytes]]) -> AsyncIterator[int]:
    server = grpc.aio.server()
    methods = {"MatchCharacter": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE_NAME, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)
