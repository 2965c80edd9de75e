"""Whose address counts: the peer's, unless a proxy of ours says on whose behalf it calls."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from chat_api.limits.address import address_of
from chat_api.server import ApiServer
from pydantic import ValidationError

from tests.api.credentials import ALICE, BOB, guarded
from tests.api.services import MemoryWorld, settings
from tests.api.serving import Api, api_over
from tests.api.viewer import Viewer

ONE_EACH = {"limit_submits_per_address": "1/hour"}


async def asked_by(api: Api, *forwarded: str) -> list[int]:
    return [(await api.post(x_forwarded_for=told)).status_code for told in forwarded]


async def test_whom_nobody_trusts_forges_no_address(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, **ONE_EACH) as api:
        assert await asked_by(api, "203.0.113.1", "203.0.113.2", "203.0.113.3") == [202, 429, 429]


async def test_a_trusted_proxys_callers_are_told_apart(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, **ONE_EACH, trusted_proxies="127.0.0.1") as api:
        assert await asked_by(api, "203.0.113.1", "203.0.113.1", "203.0.113.2") == [202, 429, 202]


async def test_what_a_caller_puts_before_the_proxys_word_changes_nothing(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, **ONE_EACH, trusted_proxies="127.0.0.1, 10.0.0.0/8") as api:
        told = ["203.0.113.1, 10.1.2.3", "198.51.100.7, 203.0.113.1, 10.1.2.3", "10.9.9.9, 203.0.113.1"]
        assert await asked_by(api, *told) == [202, 429, 429]


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"])
async def test_a_proxy_is_known_on_a_socket_for_both_versions_of_ip(
    memory_world: MemoryWorld, peer: str
) -> None:
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.append(scope["client"][0])

    server = ApiServer(cast(Any, app), memory_world.log, trusted_proxies="10.0.0.0/8,fd00::/8")
    config: Any = server.config
    config.load()
    told = [(b"x-forwarded-for", b"203.0.113.1")]
    scope: Any = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": told}
    await config.loaded_app(scope, None, None)
    assert heard == ["203.0.113.1"]


@pytest.mark.parametrize(
    ("hosts", "address"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"], "2001:db8:1:2::/64"),
        (["2001:db8:1:3::1"], "2001:db8:1:3::/64"),
        (["fe80::1%eth0"], "fe80::/64"),
        (["testclient"], "testclient"),
        ([None, ""], ""),
    ],
)
def test_an_address_is_what_one_customer_has(hosts: Sequence[str | None], address: str) -> None:
    assert {address_of(host) for host in hosts} == {address}


@pytest.mark.parametrize("told", ["*", "proxy.example", "10.0.0.0/33", "10.0.0.1/8"])
def test_a_proxy_that_is_no_address_stops_the_start(told: str) -> None:
    with pytest.raises(ValidationError):
        settings(trusted_proxies=told)


async def test_without_authentication_a_user_is_an_address(memory_world: MemoryWorld) -> None:
    limits = {"limit_live_jobs_per_user": 1, "limit_open_streams_per_user": 1}
    async with api_over(memory_world, **limits, trusted_proxies="127.0.0.1") as api:
        assert await asked_by(api, "203.0.113.1", "203.0.113.1", "203.0.113.2") == [202, 429, 202]
        path = f"/api/v1/chat/{(await memory_world.waiting_jobs())[0].job_id}/events"
        watching = [
            await Viewer.open(api.url, path, headers={"X-Forwarded-For": told})
            for told in ("203.0.113.1", "203.0.113.1", "203.0.113.2")
        ]
        assert [viewer.status for viewer in watching] == [200, 429, 200]
        for viewer in watching:
            await viewer.close()


async def test_with_authentication_a_user_is_one_at_every_address(memory_world: MemoryWorld) -> None:
    limits = {"limit_submits_per_user": "1/hour", "limit_open_streams_per_user": 1}
    async with guarded(memory_world, **limits, trusted_proxies="127.0.0.1") as api:
        told = [(ALICE, "203.0.113.1"), (ALICE, "203.0.113.2"), (BOB, "203.0.113.1")]
        answers = [await api.post(authorization=f"Bearer {key}", x_forwarded_for=at) for key, at in told]
        assert [answer.status_code for answer in answers] == [202, 429, 202]
        # A ticket's streams are its caller's.
        address = answers[0].json()["events_url"]
        async with (
            await Viewer.open(api.url, address) as first,
            await Viewer.open(api.url, address) as second,
        ):
            assert [first.status, second.status] == [200, 429]
