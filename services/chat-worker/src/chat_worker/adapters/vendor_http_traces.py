"""What may be seen of a request to a vendor: never its query, which holds the key and where somebody is."""

import asyncio
import logging
from collections.abc import Generator
from contextlib import contextmanager

import httpx
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from chat_worker.errors import NoData, VendorError


@contextmanager
def client_span(tracer: Tracer, vendor: str, request: httpx.Request, template: str) -> Generator[Span]:
    """A span for one try; an empty result is no error."""
    attributes = {
        "http.request.method": request.method,
        "server.address": request.url.host,
        "url.path": request.url.path,
        "url.template": template,
        "peer.service": vendor,
    }
    with tracer.start_as_current_span(
        request.method,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except NoData:
            raise
        except (VendorError, asyncio.CancelledError) as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


def keep_queries_out_of_logs() -> None:
    """For the whole process: httpx logs whole URLs at INFO."""
    logging.getLogger("httpx").addFilter(_WITHOUT_QUERY)


class _WithoutQuery(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                value.copy_with(query=None) if isinstance(value, httpx.URL) else value
                for value in record.args
            )
        return True


_WITHOUT_QUERY = _WithoutQuery()
