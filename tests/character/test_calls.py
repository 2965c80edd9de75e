"""The service as any gRPC client sees it."""

import grpc
import grpc.aio
import pytest
from eco2_character_api import MAX_WORDS_CHARS, SERVICE_NAME
from eco2_character_api.v1 import character_pb2 as pb
from eco2_character_api.v1 import character_pb2_grpc as rpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

LIMIT_S = 15


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> rpc.CharacterServiceStub:
    return rpc.CharacterServiceStub(channel)


@pytest.mark.parametrize("name", ["말그미", " 말그미 ", "Clearie", "clearie"])
async def test_a_character_is_found_by_its_korean_or_english_name(
    stub: rpc.CharacterServiceStub, name: str
) -> None:
    reply = await stub.GetCharacter(pb.GetCharacterRequest(name=name), timeout=LIMIT_S)

    found = reply.character
    assert (found.name, found.english_name, found.material) == ("말그미", "Clearie", "무색 페트병")
    assert all((found.personality, found.line, found.tip, found.english_line, found.english_tip))


@pytest.mark.parametrize(
    ("material", "name"),
    [
        ("플라스틱", "알록이"),
        ("플라스틱류", "알록이"),
        ("종이", "사각이"),
        ("유리병", "쨍이"),
        ("e-waste", "윙윙이"),
        ("Clear PET bottle", "말그미"),
        ("의류", "보드리"),
        ("발포합성수지(스티로폼)", "동동이"),
    ],
)
async def test_a_material_is_matched_by_what_people_call_it(
    stub: rpc.CharacterServiceStub, material: str, name: str
) -> None:
    reply = await stub.MatchCharacter(pb.MatchCharacterRequest(material=material), timeout=LIMIT_S)

    assert reply.character.name == name


async def test_the_whole_catalogue_is_listed(stub: rpc.CharacterServiceStub) -> None:
    reply = await stub.ListCharacters(pb.ListCharactersRequest(), timeout=LIMIT_S)

    names = [character.name for character in reply.characters]
    assert names[0] == "이코"
    assert len(set(names)) == len(names) >= 12


async def test_unknown_words_are_not_found(stub: rpc.CharacterServiceStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as by_name:
        await stub.GetCharacter(pb.GetCharacterRequest(name="피카츄"), timeout=LIMIT_S)
    with pytest.raises(grpc.aio.AioRpcError) as by_material:
        await stub.MatchCharacter(pb.MatchCharacterRequest(material="우라늄"), timeout=LIMIT_S)

    assert by_name.value.code() is by_material.value.code() is grpc.StatusCode.NOT_FOUND
    assert "우라늄" not in (by_material.value.details() or "")


@pytest.mark.parametrize("words", ["", "  \n", "가" * (MAX_WORDS_CHARS + 1)])
async def test_empty_and_over_long_words_are_invalid(stub: rpc.CharacterServiceStub, words: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as by_name:
        await stub.GetCharacter(pb.GetCharacterRequest(name=words), timeout=LIMIT_S)
    with pytest.raises(grpc.aio.AioRpcError) as by_material:
        await stub.MatchCharacter(pb.MatchCharacterRequest(material=words), timeout=LIMIT_S)

    assert by_name.value.code() is by_material.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_longest_words_are_looked_up(stub: rpc.CharacterServiceStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.GetCharacter(pb.GetCharacterRequest(name="가" * MAX_WORDS_CHARS), timeout=LIMIT_S)

    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_huge_request_is_refused_before_it_is_read(stub: rpc.CharacterServiceStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.GetCharacter(pb.GetCharacterRequest(name="a" * 100_000), timeout=LIMIT_S)

    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("service", ["", SERVICE_NAME])
async def test_health_is_serving(channel: grpc.aio.Channel, service: str) -> None:
    health = health_pb2_grpc.HealthStub(channel)

    reply = await health.Check(health_pb2.HealthCheckRequest(service=service), timeout=LIMIT_S)

    assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_describes_the_service(channel: grpc.aio.Channel) -> None:
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE_NAME),
    ]

    listed, described = [
        reply async for reply in reflection.ServerReflectionInfo(iter(asked), timeout=LIMIT_S)
    ]

    assert SERVICE_NAME in [service.name for service in listed.list_services_response.service]
    pool = DescriptorPool()
    for file in described.file_descriptor_response.file_descriptor_proto:
        pool.AddSerializedFile(file)
    methods = pool.FindServiceByName(SERVICE_NAME).methods_by_name
    assert set(methods) == {"GetCharacter", "MatchCharacter", "ListCharacters"}
