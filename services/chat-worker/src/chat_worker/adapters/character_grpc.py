"""The character service over gRPC: one channel, connected when it is first used."""

import json
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
import grpc.aio
from eco2_character_api import SERVICE_NAME
from eco2_character_api.v1 import character_pb2 as pb
from eco2_character_api.v1 import character_pb2_grpc as rpc
from eco2_telemetry.grpc import ClientSpans
from opentelemetry.trace import Tracer

from chat_worker.errors import AuthError, BadRequest, NoData, SchemaDrift, Transient, VendorError
from chat_worker.ports.characters import Character

Q = TypeVar("Q")
R = TypeVar("R")

_SERVICE_CONFIG: dict[str, Any] = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{"service": SERVICE_NAME}],
            # gRPC adds the jitter, and stops at the call's deadline.
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.05s",
                "maxBackoff": "0.4s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
_OPTIONS = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.max_receive_message_length", 1024 * 1024),
    # A service that comes back is found within 2 s; by default it may take minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.dns_min_time_between_resolutions_ms", 2_000),
    # No more often than the service allows, or it hangs up on us.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A proxy for the open web does not know our own services.
    ("grpc.enable_http_proxy", 0),
)
# Every other code means trouble that may pass.
_ERRORS: dict[grpc.StatusCode, type[VendorError]] = {
    grpc.StatusCode.NOT_FOUND: NoData,
    grpc.StatusCode.INVALID_ARGUMENT: BadRequest,
    grpc.StatusCode.FAILED_PRECONDITION: BadRequest,
    grpc.StatusCode.OUT_OF_RANGE: BadRequest,
    grpc.StatusCode.UNAUTHENTICATED: AuthError,
    grpc.StatusCode.PERMISSION_DENIED: AuthError,
    grpc.StatusCode.UNIMPLEMENTED: SchemaDrift,
    grpc.StatusCode.DATA_LOSS: SchemaDrift,
}


class GrpcCharacters:
    """The characters; made on the loop that uses it, whether or not the service is up.

    `target` is `host:port` or any gRPC name; TLS is on with `tls`, or with a file of CA certificates.
    """

    def __init__(
        self,
        target: str,
        tracer: Tracer,
        *,
        deadline_s: float = 1.0,
        tls: bool = False,
        tls_ca: Path | None = None,
    ) -> None:
        self._deadline_s = deadline_s
        self._channel = _channel(target, tracer, tls_ca.read_bytes() if tls_ca else None, tls)
        self._stub = rpc.CharacterServiceStub(self._channel)

    async def match(self, material: str) -> Character:
        """The character of a material."""
        request = pb.MatchCharacterRequest(material=_sendable(material))
        return _read((await self._ask(self._stub.MatchCharacter, request)).character)

    async def named(self, name: str) -> Character:
        """A character by its Korean or English name."""
        request = pb.GetCharacterRequest(name=_sendable(name))
        return _read((await self._ask(self._stub.GetCharacter, request)).character)

    async def all(self) -> list[Character]:
        """The whole catalogue."""
        reply = await self._ask(self._stub.ListCharacters, pb.ListCharactersRequest())
        return [_read(character) for character in reply.characters]

    async def close(self) -> None:
        """Ends the channel; calls under way are cancelled."""
        await self._channel.close()

    async def _ask(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, R], request: Q) -> R:
        try:
            # gRPC gives None for bytes that it cannot read.
            reply: R | None = await method(request, timeout=self._deadline_s)
        except grpc.aio.AioRpcError as error:
            kind = _ERRORS.get(error.code(), Transient)
            raise kind(f"character service: {error.code().name}: {(error.details() or '')[:200]}") from error
        if reply is None:
            raise SchemaDrift("character service: the reply cannot be read")
        return reply


def _channel(target: str, tracer: Tracer, ca: bytes | None, tls: bool) -> grpc.aio.Channel:
    address = urlsplit(f"//{target.rpartition('/')[2]}")
    spans = [ClientSpans(tracer, address.hostname or target, address.port or 443)]
    if not tls and ca is None:
        return grpc.aio.insecure_channel(target, options=_OPTIONS, interceptors=spans)
    credentials = grpc.ssl_channel_credentials(root_certificates=ca)
    return grpc.aio.secure_channel(target, credentials, options=_OPTIONS, interceptors=spans)


def _sendable(words: str) -> str:
    # Half a surrogate pair is no text for protobuf, and no name of anything.
    return words.encode(errors="replace").decode()


def _read(character: pb.Character) -> Character:
    if not character.name or not character.material:
        raise SchemaDrift("character service: a character without a name or a material")
    return Character(
        name=character.name,
        material=character.material,
        personality=character.personality,
        line=character.line,
        tip=character.tip,
        english_name=character.english_name,
        english_line=character.english_line,
        english_tip=character.english_tip,
    )
