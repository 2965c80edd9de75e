"""TLS by settings, with a certificate made for the test."""

import asyncio
import os
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from chat_worker.errors import Transient
from eco2_character.server import CannotListen, open_server
from eco2_character.settings import CharacterSettings

from tests.character.running import LIMIT_S, Spans, asking, serving


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


async def test_a_certificate_that_was_replaced_is_shown_to_whoever_connects_next(
    spans: Spans, tmp_path: Path
) -> None:
    old, new = _make_pair(tmp_path / "old"), _make_pair(tmp_path / "new")
    mounted = _mount(tmp_path, old)
    async with (
        serving(spans.service, tls_cert=mounted.cert, tls_key=mounted.key) as port,
        asking(spans.worker, port, tls_ca=old.cert) as connected,
    ):
        await connected.match("종이")
        _mount(tmp_path, new)

        async with asking(spans.worker, port, tls_ca=new.cert) as characters:
            assert (await characters.match("종이")).name == "사각이"
        assert await _shown(port) == new.cert.read_text()
        # Nobody is hung up on.
        assert (await connected.match("종이")).name == "사각이"


async def test_files_that_do_not_fit_or_are_away_change_nothing_until_they_do(
    spans: Spans, tmp_path: Path
) -> None:
    old, new = _make_pair(tmp_path / "old"), _make_pair(tmp_path / "new")
    mounted = _mount(tmp_path, old)
    async with serving(spans.service, tls_cert=mounted.cert, tls_key=mounted.key) as port:
        _mount(tmp_path, Pair(new.cert, old.key))
        assert await _shown(port) == old.cert.read_text()

        mounted.key.unlink()
        assert await _shown(port) == old.cert.read_text()

        _mount(tmp_path, new)
        assert await _shown(port) == new.cert.read_text()


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


def _mount(folder: Path, pair: Pair) -> Pair:
    """Puts a pair where the service looks, as Kubernetes does for a secret: each file changes at once."""
    mounted = Pair(folder / "tls.crt", folder / "tls.key")
    for place, file in zip(mounted, pair, strict=True):
        link = folder / "link"
        link.symlink_to(file)
        os.replace(link, place)
    return mounted


async def _shown(port: int) -> str:
    """What a stranger is shown in a new handshake."""
    return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port), timeout=LIMIT_S)


def _make_pair(folder: Path) -> Pair:
    folder.mkdir(exist_ok=True)
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
