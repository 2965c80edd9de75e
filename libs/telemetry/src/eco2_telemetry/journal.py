"""Spans on disk until they are exported, so that a killed process leaves a whole trace behind.

Without it `kill -9` loses the spans under way, and those of their children that are out already hang in the
air. A file of slots, mapped into memory: what is written there outlives the process, at the price of a copy.
Another process with the same directory and collector finds the file unlocked and sends what is in it.
"""

import contextlib
import fcntl
import logging
import mmap
import os
import secrets
import time
import zlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from threading import Lock

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from eco2_telemetry import journal_record as record

_log = logging.getLogger(__name__)

SLOTS = 2_048
SLOT_BYTES = 4_096
KEPT_S = 24 * 3600
_HEAD = 8


class Journal(SpanProcessor):
    """This process's spans that are under way or not yet exported; raises OSError when it cannot be kept."""

    def __init__(self, folder: Path, *, slots: int = SLOTS) -> None:
        _make_private(folder)
        self._folder = folder
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.spans"
        unlocked = self._path.with_suffix(".new")
        self._file = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.truncate(self._file, slots * SLOT_BYTES)
        self._map = mmap.mmap(self._file, slots * SLOT_BYTES)
        # Named only now: whoever finds it unlocked takes it for a dead process's.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unlocked.rename(self._path)
        self._lock = Lock()
        self._free = list(range(slots - 1, -1, -1))
        self._slots: dict[int, int] = {}
        self._is_open = True

    def on_start(self, span: ReadableSpan, parent_context: Context | None = None) -> None:
        self._write(span)

    def on_end(self, span: ReadableSpan) -> None:
        self._write(span)

    def exported(self, spans: Sequence[ReadableSpan]) -> None:
        """These need not be kept any longer."""
        with self._lock:
            for span in spans:
                slot = self._slots.pop(_id(span), None)
                if slot is not None and self._is_open:
                    self._clear(slot)

    def left_behind(self) -> Iterator[list[ReadableSpan]]:
        """The spans of each process that died; its file is removed when the loop goes on after them."""
        for path in self._folder.glob("*.spans"):
            if path != self._path:
                with contextlib.suppress(OSError), _taken(path) as data:
                    if spans := record.read_all(_records(data)):
                        yield spans
                    path.unlink()

    def close(self) -> None:
        """Ends a process in peace: what was exported, or given up, is not told by anybody else."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                self._map.close()
                self._path.unlink(missing_ok=True)
                os.close(self._file)

    def _write(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        data = record.to_bytes(span, SLOT_BYTES - _HEAD)
        with self._lock:
            if self._is_open and data:
                start = self._slot(_id(span)) * SLOT_BYTES
                head = len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little")
                self._map[start : start + _HEAD + len(data)] = head + data

    def _slot(self, key: int) -> int:
        """The span's own, a free one, or the oldest one's, once a collector is away for long."""
        if key not in self._slots:
            oldest = None if self._free else next(iter(self._slots))
            self._slots[key] = self._free.pop() if oldest is None else self._slots.pop(oldest)
        return self._slots[key]

    def _clear(self, slot: int) -> None:
        self._map[slot * SLOT_BYTES : slot * SLOT_BYTES + 4] = b"\0\0\0\0"
        self._free.append(slot)


def _id(span: ReadableSpan) -> int:
    return span.context.span_id if span.context else 0


def _make_private(folder: Path) -> None:
    """Others on the machine must neither read it nor have made it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not private to this user")


@contextlib.contextmanager
def _taken(path: Path) -> Generator[bytes]:
    """The file of a process that is gone; raises OSError while it lives, or when somebody else has it."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(file)
        if found.st_nlink == 0:
            raise FileNotFoundError(path)
        is_worth_it = time.time() - found.st_mtime < KEPT_S
        yield os.pread(file, min(found.st_size, SLOTS * SLOT_BYTES), 0) if is_worth_it else b""
    finally:
        os.close(file)


def _records(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), SLOT_BYTES):
        size = int.from_bytes(data[start : start + 4], "little")
        found = data[start + _HEAD : start + _HEAD + size]
        # A process may die in the middle of writing.
        if (
            0 < size <= SLOT_BYTES - _HEAD
            and zlib.crc32(found).to_bytes(4, "little") == data[start + 4 : start + 8]
        ):
            yield found
