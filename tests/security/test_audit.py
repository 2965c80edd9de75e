"""`make audit`: finds what it is there to find, and never passes for having done what it could not do."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def secrets() -> ModuleType:
    return script("audit_secrets")


@pytest.fixture
def dependencies() -> ModuleType:
    return script("audit_dependencies")


# Put together here, so that this file has none of them.
PLANTED = {
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "openai": "sk-" + "a1B2" * 5 + "T3BlbkFJ" + "c3D4" * 5,
    "github": "ghp_" + "a1B2c3D4e5" * 3 + "f6G7H8",
    "tavily": "tvly-" + "a1B2c3D4e5" * 3,
    "langsmith": "lsv2_pt_" + "0123456789abcdef" * 2 + "_0123456789",
    "ours": "eco2_" + "a1B2c3D4e5" * 4 + "f6G",
    "kakao": "KAKAO_REST_API_KEY=" + "0123456789abcdef" * 2,
    "data.go.kr": "DATA_GO_KR_KEY=" + "a1B2c3D4e5%2B" * 6 + "==",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "address": "amqp://eco2:" + "hunter22x" + "@rabbitmq:5672/",
    "jwt": ".".join(["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxIn0", "c2lnbmF0dXJl"]),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found_and_not_repeated(
    secrets: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path = tmp_path / "settings.md"
    path.write_text(f"first\nvalue: {PLANTED[kind]}\n", encoding="utf-8")
    assert secrets.main([str(path)]) == 1
    said = capsys.readouterr().err
    assert f"{path}:2: " in said
    assert PLANTED[kind].split("=", 1)[-1] not in said


def test_a_password_in_what_is_deployed_is_found(
    secrets: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "ROOT", tmp_path)
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s/redis.yaml").write_text("redis_password: 'correct-horse-battery'\n", encoding="utf-8")
    (tmp_path / "k8s/fine.yaml").write_text("secretName: eco2-stores\npassword: ${REDIS}\n", encoding="utf-8")
    assert secrets.main(["k8s/redis.yaml"]) == 1
    assert secrets.main(["k8s/fine.yaml"]) == 0


class Service(BaseHTTPRequestHandler):
    """Stands for the vulnerability service."""

    status: ClassVar[int] = 200
    leaves_out: ClassVar[int] = 0
    known: ClassVar[dict[str, list[str]]] = {}
    asked: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        results = [
            {"vulns": [{"id": id_} for id_ in ids]}
            if (ids := self.known.get(query["package"]["name"]))
            else {}
            for query in body["queries"]
        ]
        told = json.dumps({"results": results[self.leaves_out :]}).encode()
        self.send_response(self.status)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Service]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    monkeypatch.setenv("OSV_URL", f"http://127.0.0.1:{server.server_address[1]}")
    for name in ("status", "leaves_out", "known", "asked"):
        monkeypatch.setattr(Service, name, type(getattr(Service, name))())
    Service.status = 200
    yield Service
    server.shutdown()
    server.server_close()


def test_every_pin_is_asked_about_and_what_is_known_fails(
    dependencies: ModuleType, service: type[Service], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dependencies.main([]) == 0
    asked = [query["package"]["name"] for body in service.asked for query in body["queries"]]
    assert {"fastapi", "aio-pika", "langgraph", "uvicorn"} <= set(asked)
    assert f"nothing is known against {len(asked)} pinned packages" in capsys.readouterr().out

    service.known["fastapi"] = ["GHSA-1"]
    assert dependencies.main([]) == 1
    assert "GHSA-1" in capsys.readouterr().err
    dependencies.IGNORED["GHSA-1"] = "concerns a part that is not used"
    assert dependencies.main([]) == 0


def test_what_could_not_be_audited_is_said_to_be(
    dependencies: ModuleType,
    service: type[Service],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def says() -> str:
        assert dependencies.main([]) == 0
        assert dependencies.main(["--required"]) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("not audited: ")
        return told.err

    service.status = 503
    assert "answers 503" in says()
    service.status, service.leaves_out = 200, 1
    assert "left packages out" in says()
    monkeypatch.setenv("OSV_URL", "http://127.0.0.1:9")
    assert "cannot be reached" in says()
