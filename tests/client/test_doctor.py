"""`eco2 doctor` before proxies that do what the badly set up ones do."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from eco2_chat.cli import probe
from eco2_chat.cli.doctor import Doctor, Finding

from tests.api.services import MemoryWorld
from tests.api.serving import Api, api_over
from tests.client.conftest import port_of
from tests.client.proxies import Proxy
from tests.client.terminal import Command

HEARTBEAT_S = 1.0


@pytest.fixture
async def behind(memory_world: MemoryWorld) -> AsyncIterator[Api]:
    """The API that lies behind the proxies."""
    async with api_over(memory_world, heartbeat_s=HEARTBEAT_S) as made:
        yield made


async def examined(url: str, *, waits: bool = False) -> dict[str, list[Finding]]:
    """All findings by subject."""

    def examine() -> list[Finding]:
        with Doctor(url) as doctor:
            return list(doctor.examine(waits_for_heartbeat=waits))

    found: dict[str, list[Finding]] = {}
    for finding in await asyncio.to_thread(examine):
        found.setdefault(finding.subject, []).append(finding)
    return found


def bad(found: dict[str, list[Finding]]) -> set[str]:
    return {subject for subject, findings in found.items() if any(one.is_bad for one in findings)}


async def test_nothing_is_wrong_with_the_api_itself_or_a_proxy_that_does_no_harm(behind: Api) -> None:
    direct = await examined(behind.url, waits=True)
    async with Proxy(port_of(behind.url)).open() as url:
        through = await examined(url, waits=True)

    assert bad(direct) == bad(through) == set()
    assert set(direct) == set(through) == {"clock", "buffering", "compression", "headers", "idle"}


async def test_a_proxy_that_holds_the_stream_back_is_found(behind: Api) -> None:
    async with Proxy(port_of(behind.url), holds_back=True).open() as url:
        found = await examined(url)

    assert bad(found) == {"buffering"}
    assert "switch response buffering off" in found["buffering"][0].detail


async def test_a_proxy_that_compresses_is_found(behind: Api) -> None:
    async with Proxy(port_of(behind.url), compresses=True).open() as url:
        found = await examined(url)

    assert "compression" in bad(found)
    assert "gzip" in found["compression"][0].detail


async def test_a_proxy_that_cuts_silence_short_of_the_heartbeat_is_found(behind: Api) -> None:
    async with Proxy(port_of(behind.url), cuts_silence_after_s=HEARTBEAT_S / 2).open() as url:
        found = await examined(url, waits=True)

    assert bad(found) == {"idle"}
    assert "cut while it was quiet" in found["idle"][0].detail


async def test_headers_that_are_lost_on_either_way_are_found(behind: Api) -> None:
    lost = ("last-event-id", "cache-control", "x-accel-buffering")
    async with Proxy(port_of(behind.url), keeps=lambda line: not line.startswith(lost)).open() as url:
        found = await examined(url)

    said = " ".join(one.detail for one in found["headers"])
    assert bad(found) == {"headers"}
    assert all(name in said for name in ("Last-Event-ID did not", "no-store, no-transform", "X-Accel"))


async def test_a_clock_that_is_off_is_found(behind: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = probe._now_ms
    monkeypatch.setattr(probe, "_now_ms", lambda: ours() + 60_000)

    found = await examined(behind.url)

    assert bad(found) == {"clock"}
    assert "-60." in found["clock"][0].detail or "-59." in found["clock"][0].detail


async def test_the_command_prints_its_findings_and_fails_when_something_is_wrong(behind: Api) -> None:
    well = await (await Command.start("doctor", behind.url, "--quick")).end()
    async with Proxy(port_of(behind.url), holds_back=True).open() as url:
        ill = await (await Command.start("doctor", url, "--quick")).end()
    elsewhere = await (await Command.start("doctor", f"{behind.url}/nothing", "--quick")).end()
    nobody = await (await Command.start("doctor", "http://127.0.0.1:9", "--quick")).end()

    assert (well[0], ill[0], elsewhere[0], nobody[0]) == (0, 1, 1, 1)
    assert "ok   buffering" in well[1]
    assert "bad  buffering" in ill[1]
    assert "HTTP 404" in elsewhere[1]
    assert "Traceback" not in nobody[2]


@pytest.mark.parametrize("query", ["chunks=0", "chunks=101", "every_ms=1", "idle_s=91", "idle_s=nan"])
async def test_a_probe_has_limits(behind: Api, query: str) -> None:
    refused = await behind.client.get(f"/api/v1/probe?{query}")

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_fields")
