"""LangSmith as far as its clients see it: `/info`, runs one by one, in batches and as multipart, feedback."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BATCHES = {
    "use_multipart_endpoint": True,
    "size_limit": 100,
    "size_limit_bytes": 20_000_000,
    "scale_up_nthreads_limit": 4,
    "scale_up_qsize_trigger": 100,
    "scale_down_nempty_trigger": 4,
}


class Ingest:
    """What came; it may hang, or refuse what comes."""

    def __init__(self) -> None:
        self.url = ""
        self.speaks_multipart = True
        self.hangs = threading.Event()
        self.refuses = threading.Event()
        self.let_go = threading.Event()
        self.requests: list[tuple[str, str, str]] = []
        """Method, path and key of each."""
        self.feedback: list[dict[str, Any]] = []
        self._runs: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Every run as it is known by now, in the order of their beginning."""
        with self._lock:
            return sorted((dict(run) for run in self._runs.values()), key=lambda run: run["dotted_order"])

    @property
    def paths(self) -> set[str]:
        return {path for _, path, _ in self.requests}

    def named(self, name: str) -> list[dict[str, Any]]:
        return [run for run in self.runs if run["name"] == name]

    def one(self, name: str) -> dict[str, Any]:
        (found,) = self.named(name)
        return found

    def merge(self, run_id: str, change: dict[str, Any]) -> None:
        with self._lock:
            known = self._runs.setdefault(run_id, {})
            known.update({name: value for name, value in change.items() if value is not None})

    def wait(self, holds: Callable[[], Any], within_s: float = 20) -> None:
        """Waits until something is so."""
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, f"not within {within_s} s; came: {self.requests}"
            time.sleep(0.02)

    def wait_for_all(self, root: str) -> None:
        """Until the run of this name, and every run within it, has ended."""
        self.wait(lambda: self.named(root) and all(run.get("end_time") for run in self.runs))


@contextmanager
def ingesting() -> Iterator[Ingest]:
    """The server on a free port."""
    ingest = Ingest()

    class Requests(_Requests):
        pass

    Requests.ingest = ingest
    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    server.daemon_threads = True
    ingest.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield ingest
    finally:
        ingest.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Requests(BaseHTTPRequestHandler):
    ingest: Ingest

    def do_GET(self) -> None:
        self._answer("GET", b"")

    def do_POST(self) -> None:
        self._answer("POST", self._body())

    def do_PATCH(self) -> None:
        self._answer("PATCH", self._body())

    def log_message(self, format: str, *args: Any) -> None:
        return None

    def _answer(self, method: str, body: bytes) -> None:
        ingest = self.ingest
        ingest.requests.append((method, self.path, self.headers.get("x-api-key", "")))
        if ingest.hangs.is_set():
            ingest.let_go.wait(60)
            self.close_connection = True
            return
        if ingest.refuses.is_set():
            self._reply(401, {"detail": "Invalid token"})
            return
        match method, self.path:
            case "GET", "/info":
                batches = {**BATCHES, "use_multipart_endpoint": ingest.speaks_multipart}
                self._reply(200, {"version": "0.12.0", "batch_ingest_config": batches})
            case "POST", "/runs/batch":
                told = json.loads(body)
                for run in (*told.get("post", []), *told.get("patch", [])):
                    ingest.merge(run["id"], run)
                self._reply(202, {})
            case "POST", "/runs/multipart":
                self._take_form(body)
                self._reply(202, {})
            case "POST", "/feedback":
                ingest.feedback.append(json.loads(body))
                self._reply(200, {})
            case _:
                self._reply(404, {})

    def _take_form(self, body: bytes) -> None:
        """Parts are named `post.{run}` or `patch.{run}`, and `....inputs` and the like for large fields."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        form = BytesParser().parsebytes(head + body)
        assert form.is_multipart()
        for part in form.get_payload():
            name = part.get_param("name", header="content-disposition")
            kind, run_id, *field = str(name).split(".")
            value = json.loads(part.get_payload(decode=True))
            assert kind in ("post", "patch")
            self.ingest.merge(run_id, {field[0]: value} if field else value)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        return gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().strip() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()

    def _reply(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
