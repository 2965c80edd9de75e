"""Spans of unary gRPC calls on both sides, by the OpenTelemetry RPC conventions.

Made by hand: the trace's span names are short (`CharacterService/MatchCharacter`), and health checks and
reflection stay out of it. Nothing of a request, a reply or an error's text is recorded.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import grpc
import grpc.aio
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from eco2_telemetry import propagation

Context = grpc.aio.ServicerContext[Any, Any]
Ended = Callable[[grpc.StatusCode], None]
"""Told once how a call ended."""

_PLUMBING = ("/grpc.health.", "/grpc.reflection.")
# By the conventions a server's span fails for these only: the other codes are the caller's doing.
_SERVER_FAULTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_CLIENT_FAULTS = frozenset(grpc.StatusCode) - {grpc.StatusCode.OK}


class ClientSpans(grpc.aio.UnaryUnaryClientInterceptor):
    """A CLIENT span round every call of a channel, retries included; the call carries its `traceparent`."""

    def __init__(self, tracer: Tracer, host: str, port: int) -> None:
        self._tracer = tracer
        self._server: dict[str, str | int] = {"server.address": host, "server.port": port}

    async def intercept_unary_unary(
        self, continuation: Any, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        method = _text(client_call_details.method)
        if method.startswith(_PLUMBING):
            return await continuation(client_call_details, request)
        with _span(self._tracer, SpanKind.CLIENT, method, _CLIENT_FAULTS, self._server) as ended:
            try:
                call = await continuation(_carrying(client_call_details, propagation.inject()), request)
                await call
            except asyncio.CancelledError:
                ended(grpc.StatusCode.CANCELLED)
                raise
            except grpc.aio.AioRpcError as error:
                ended(error.code())
                raise
            ended(grpc.StatusCode.OK)
            # The caller awaits it again, and is given the same reply.
            return call


class ObserveCalls(grpc.aio.ServerInterceptor):
    """Watches every unary call that a server answers, health checks excepted."""

    @abstractmethod
    def observing(self, method: str, context: Context) -> AbstractContextManager[Ended]:
        """Lasts as long as a call of `method` (`/package.Service/Method`), and is told how it ended."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        method = _text(getattr(handler_call_details, "method", ""))
        if handler is None or handler.unary_unary is None or method.startswith(_PLUMBING):
            return handler

        async def answer(request: Any, context: Context) -> Any:
            with self.observing(method, context) as ended:
                try:
                    reply = await handler.unary_unary(request, context)
                except BaseException as error:
                    ended(_failure(error, context))
                    raise
                ended(_code(context))
                return reply

        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )


class ServerSpans(ObserveCalls):
    """A SERVER span round every call, child of the caller's."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def observing(self, method: str, context: Context) -> AbstractContextManager[Ended]:
        received: Iterable[tuple[str, str | bytes]] = context.invocation_metadata() or ()
        headers = {key: value for key, value in received if isinstance(value, str)}
        return _span(self._tracer, SpanKind.SERVER, method, _SERVER_FAULTS, {}, headers)


@contextmanager
def _span(
    tracer: Tracer,
    kind: SpanKind,
    method: str,
    faults: frozenset[grpc.StatusCode],
    attributes: dict[str, str | int],
    received: dict[str, str] | None = None,
) -> Generator[Ended]:
    service, _, name = method.lstrip("/").partition("/")
    with tracer.start_as_current_span(
        f"{service.rpartition('.')[2]}/{name}",
        context=None if received is None else propagation.extract(received),
        kind=kind,
        attributes={"rpc.system.name": "grpc", "rpc.method": f"{service}/{name}", **attributes},
        # An error's text may quote what was asked.
        record_exception=False,
        set_status_on_exception=False,
    ) as span:

        def ended(code: grpc.StatusCode) -> None:
            span.set_attribute("rpc.response.status_code", code.name)
            if code in faults:
                span.set_attribute("error.type", code.name)
                span.set_status(StatusCode.ERROR)

        yield ended


def _carrying(details: grpc.aio.ClientCallDetails, headers: dict[str, str]) -> grpc.aio.ClientCallDetails:
    return grpc.aio.ClientCallDetails(
        method=details.method,
        timeout=details.timeout,
        metadata=grpc.aio.Metadata(*(details.metadata or ()), *headers.items()),
        credentials=details.credentials,
        wait_for_ready=details.wait_for_ready,
    )


def _failure(error: BaseException, context: Context) -> grpc.StatusCode:
    if isinstance(error, grpc.aio.AbortError):
        return _code(context)
    return grpc.StatusCode.CANCELLED if isinstance(error, asyncio.CancelledError) else grpc.StatusCode.UNKNOWN


def _code(context: Context) -> grpc.StatusCode:
    # None at run time until a handler has set one, whatever the types say.
    return context.code() or grpc.StatusCode.OK


def _text(method: str | bytes) -> str:
    return method.decode() if isinstance(method, bytes) else method
