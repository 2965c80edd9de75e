"""Types of the generated client and server classes, for asyncio; the compiler makes none."""

import grpc.aio

from eco2_character_api.v1 import character_pb2 as pb

class CharacterServiceStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...

    GetCharacter: grpc.aio.UnaryUnaryMultiCallable[pb.GetCharacterRequest, pb.GetCharacterResponse]
    MatchCharacter: grpc.aio.UnaryUnaryMultiCallable[pb.MatchCharacterRequest, pb.MatchCharacterResponse]
    ListCharacters: grpc.aio.UnaryUnaryMultiCallable[pb.ListCharactersRequest, pb.ListCharactersResponse]

class CharacterServiceServicer:
    async def GetCharacter(
        self,
        request: pb.GetCharacterRequest,
        context: grpc.aio.ServicerContext[pb.GetCharacterRequest, pb.GetCharacterResponse],
    ) -> pb.GetCharacterResponse: ...
    async def MatchCharacter(
        self,
        request: pb.MatchCharacterRequest,
        context: grpc.aio.ServicerContext[pb.MatchCharacterRequest, pb.MatchCharacterResponse],
    ) -> pb.MatchCharacterResponse: ...
    async def ListCharacters(
        self,
        request: pb.ListCharactersRequest,
        context: grpc.aio.ServicerContext[pb.ListCharactersRequest, pb.ListCharactersResponse],
    ) -> pb.ListCharactersResponse: ...

def add_CharacterServiceServicer_to_server(
    servicer: CharacterServiceServicer, server: grpc.aio.Server
) -> None: ...
