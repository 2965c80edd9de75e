"""The three calls, answered from memory."""

from typing import Any

import grpc
import grpc.aio
from eco2_character_api import MAX_WORDS_CHARS
from eco2_character_api.v1 import character_pb2 as pb
from eco2_character_api.v1 import character_pb2_grpc as rpc

from eco2_character.catalogue import Catalogue, Character

Context = grpc.aio.ServicerContext[Any, Any]


class CharacterCalls(rpc.CharacterServiceServicer):
    """The service over one catalogue; no reply is without a character."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._all = pb.ListCharactersResponse(characters=map(_message, catalogue.characters))

    async def GetCharacter(
        self, request: pb.GetCharacterRequest, context: Context
    ) -> pb.GetCharacterResponse:
        """A character by its name."""
        await _check(request.name, context)
        if found := self._catalogue.named(request.name):
            return pb.GetCharacterResponse(character=_message(found))
        return await context.abort(grpc.StatusCode.NOT_FOUND, "no character has this name")

    async def MatchCharacter(
        self, request: pb.MatchCharacterRequest, context: Context
    ) -> pb.MatchCharacterResponse:
        """The character of a kind of waste."""
        await _check(request.material, context)
        if found := self._catalogue.matching(request.material):
            return pb.MatchCharacterResponse(character=_message(found))
        return await context.abort(grpc.StatusCode.NOT_FOUND, "no character stands for this material")

    async def ListCharacters(
        self, request: pb.ListCharactersRequest, context: Context
    ) -> pb.ListCharactersResponse:
        """All characters, in the order of the data file."""
        return self._all


async def _check(words: str, context: Context) -> None:
    if not words.strip():
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "empty")
    if len(words) > MAX_WORDS_CHARS:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"longer than {MAX_WORDS_CHARS} characters")


def _message(character: Character) -> pb.Character:
    return pb.Character(**character.model_dump(exclude={"also"}))
