"""TLS by settings, with a certificate made for the test."""

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from chat_worker.errors import Transient
from eco2_character.server import CannotListen, open_server
from eco2_character.settings import CharacterSettings

from tests.character.running import Spans, asking, serving


class Pair(NamedTuple):
    cert: Path
    key: Path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return _make_pair(tmp_path_factory.mktemp("tls"))


async def test_the_worker_talks_tls_when_it_is_given_the_authority(spans: Spans, pair: Pair) -> None:
    async with (
        serving(spans.service, tls_cert=pair.cert, tls_key=pair.key) as port,
        asking(spans.worker, port, tls_ca=pair.cert) as characters,
    ):
        found = await characters.match("종이")

    assert found.name == "사각이"


async def test_an_unknown_authority_is_not_trusted(spans: Spans, pair: Pair, tmp_path: Path) -> None:
    other = _make_pair(tmp_path)
    async with serving(spans.service, tls_cert=pair.cert, tls_key=pair.key) as port:
        for options in ({"tls": True}, {"tls_ca": other.cert}):
            async with asking(spans.worker, port, deadline_s=2, **options) as characters:
                with pytest.raises(Transient):
                    await characters.match("종이")


async def test_a_plain_client_gets_nothing_from_a_tls_port(spans: Spans, pair: Pair) -> None:
    async with (
        serving(spans.service, tls_cert=pair.cert, tls_key=pair.key) as port,
        asking(spans.worker, port, deadline_s=2) as characters,
    ):
        with pytest.raises(Transient):
            await characters.match("종이")


async def test_a_key_that_is_none_is_refused(spans: Spans, pair: Pair) -> None:
    settings = CharacterSettings(port=0, tls_cert=pair.cert, tls_key=Path(__file__))

    with pytest.raises(CannotListen):
        async with open_server(settings, spans.service):
            pytest.fail("it serves without a key")


def test_a_plain_port_is_for_loopback_unless_the_network_encrypts() -> None:
    with pytest.raises(ValueError, match="reachable from outside"):
        CharacterSettings(host="0.0.0.0")

    assert CharacterSettings(host="::1").address == "[::1]:50051"
    assert CharacterSettings(host="0.0.0.0", plain_off_loopback=True).address == "0.0.0.0:50051"


def _make_pair(folder: Path) -> Pair:
    pair = Pair(folder / "cert.pem", folder / "key.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=localhost"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(pair.key), "-out", str(pair.cert)),
        ],
        check=True,
        capture_output=True,
    )
    return pair
