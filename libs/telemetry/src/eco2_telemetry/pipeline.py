"""The way of all spans of a process to the collector: one thread and one connection for all its services."""

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock, Thread

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from eco2_telemetry import exporters
from eco2_telemetry.journal import Journal
from eco2_telemetry.sanitise import SanitisingExporter

_log = logging.getLogger(__name__)

JOURNAL_FOLDER = "TELEMETRY_JOURNAL_DIR"
"""Where spans outlive their process; `none` keeps no journal."""
LOOK_ROUND_S = 2.0

_open: dict[tuple[str, str], "Pipeline"] = {}
_lock = Lock()


class Pipeline:
    """Shared by all services of the process that export to one collector."""

    def __init__(self, key: tuple[str, str], exporter: SpanExporter, journal: Journal | None) -> None:
        self._key = key
        self._users = 0
        self._journal = journal
        self._sender = _Sender(SanitisingExporter(exporter), journal)
        self._batches = BatchSpanProcessor(self._sender)
        # Whatever a process before this one left behind need not wait for the first question.
        self._first_look = Thread(target=self._sender.send_left_behind, name="telemetry:look", daemon=True)
        self._first_look.start()

    def serve(self, provider: TracerProvider) -> None:
        """Takes the provider's spans."""
        self._users += 1
        if self._journal is not None:
            provider.add_span_processor(self._journal)
        provider.add_span_processor(self._batches)

    def leave(self) -> None:
        """Sends what is left once the last service leaves; whoever calls this waits for it no longer than
        the process may take to exit."""
        with _lock:
            self._users -= 1
            if self._users:
                return
            _open.pop(self._key, None)
        self._first_look.join()
        self._batches.shutdown()
        if self._journal is not None:
            self._journal.close()


class _Sender(SpanExporter):
    def __init__(self, exporter: SpanExporter, journal: Journal | None) -> None:
        self._exporter = exporter
        self._journal = journal
        self._looked = 0.0
        self._looking = Lock()
        self._sending = Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._send(spans)
        if self._journal is not None:
            # Also what was refused: the SDK gives it up as well.
            self._journal.exported(spans)
        if time.monotonic() - self._looked > LOOK_ROUND_S:
            self.send_left_behind()
        return result

    def send_left_behind(self) -> None:
        """Sends the spans of processes that died; while the collector refuses them they stay on disk."""
        if self._journal is None or not self._looking.acquire(blocking=False):
            return
        try:
            for spans in self._journal.left_behind():
                if self._send(spans) is not SpanExportResult.SUCCESS:
                    return
                _log.warning("sent %d spans of a process that died", len(spans))
        finally:
            self._looked = time.monotonic()
            self._looking.release()

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def _send(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._sending:
            return self._exporter.export(spans)


def open_pipeline() -> Pipeline | None:
    """The process's way to the collector that the environment names; None when it names none."""
    key = exporters.destination("TRACES")
    if key is None:
        return None
    with _lock:
        if key not in _open:
            exporter = exporters.span_exporter()
            if exporter is None:
                return None
            _open[key] = Pipeline(key, exporter, _journal(key))
        return _open[key]


def _journal(key: tuple[str, str]) -> Journal | None:
    """A folder for each collector: what is found there is sent to the one it was meant for."""
    told = os.environ.get(JOURNAL_FOLDER, "").strip()
    if told.lower() == "none":
        return None
    root = Path(told) if told else Path(tempfile.gettempdir()) / f"eco2-telemetry-{os.getuid()}"
    try:
        return Journal(root / hashlib.sha256(repr(key).encode()).hexdigest()[:16])
    except OSError as error:
        _log.warning("spans do not outlive this process: %s", error.strerror or error)
        return None
