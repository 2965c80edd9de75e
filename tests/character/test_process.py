"""`python -m eco2_character`, as an operator starts it."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from eco2_character_api.v1 import character_pb2 as pb
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.character.running import free_port

LIMIT_S = 30


def test_it_serves_until_sigterm_and_leaves_in_peace() -> None:
    port, metrics_port = free_port(), free_port()
    with _process(CHARACTER_PORT=str(port), CHARACTER_METRICS_PORT=str(metrics_port)) as process:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            state = health.Check(health_pb2.HealthCheckRequest(), timeout=LIMIT_S, wait_for_ready=True)
            get = channel.unary_unary(
                "/eco2.character.v1.CharacterService/GetCharacter",
                request_serializer=pb.GetCharacterRequest.SerializeToString,
                response_deserializer=pb.GetCharacterResponse.FromString,
            )
            eco = get(pb.GetCharacterRequest(name="eco"), timeout=LIMIT_S).character
        metrics = _read(f"http://127.0.0.1:{metrics_port}/metrics")

        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=LIMIT_S)

    assert state.status == health_pb2.HealthCheckResponse.SERVING
    assert eco.name == "이코"
    assert 'character_requests_total{code="OK",method="GetCharacter"} 1.0' in metrics
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"CHARACTER_HOST": "0.0.0.0"}, "0.0.0.0 is reachable from outside"),
        ({"CHARACTER_TLS_CERT": "cert.pem"}, "are set together"),
        ({"CHARACTER_TLS_CERT": "none.pem", "CHARACTER_TLS_KEY": "none.pem"}, "cannot read the certificate"),
        ({"CHARACTER_CATALOGUE": "none.yaml"}, "none.yaml: No such file"),
        ({"CHARACTER_PORT": "70000"}, "port: Input should be less"),
    ],
)
def test_settings_that_cannot_work_are_told_in_one_line(variables: dict[str, str], complaint: str) -> None:
    with _process(**{"CHARACTER_PORT": "0", **variables}) as process:
        _, errors = process.communicate(timeout=LIMIT_S)

    assert process.returncode == 1
    assert complaint in errors
    assert len(errors.splitlines()) == 1


@contextmanager
def _process(**variables: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "eco2_character"],
        env={**os.environ, **variables},
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _read(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=LIMIT_S) as response:
        return response.read().decode()
