"""One way to make a span: nothing of an error but its type, and what is no failure is none."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer

Value = str | int | float | bool | Sequence[str]


@contextmanager
def span_of(
    tracer: Tracer,
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, Value] | None = None,
    context: Context | None = None,
    links: Sequence[Link] = (),
    no_failures: tuple[type[BaseException], ...] = (),
) -> Generator[Span]:
    """The current span while the context lasts; an exception outside `no_failures` fails it.

    An error's text may quote what was asked, so only its type is kept. Cancelling is never a failure: it
    is how a viewer leaves, a user cancels and a process drains.
    """
    with tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except no_failures:
            raise
        except Exception as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise
