"""Where everybody may do everything, a page elsewhere must not, though its name may lead here."""

import httpx
import pytest
from chat_api.app import create_app
from chat_api.known_hosts import known_hosts
from eco2_devservers import free_port

from tests.api.credentials import BY_KEY
from tests.api.process import ApiProcess
from tests.api.services import memory_services, settings
from tests.api.serving import QUESTION


def client(allowed_hosts: str = "") -> httpx.AsyncClient:
    services = memory_services(allowed_hosts=allowed_hosts)
    app = create_app(services, hosts=known_hosts(services.settings))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8000", "LocalHost:1"),
        *("127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000"),
        # A probe inside of a cluster, or another machine of the house.
        *("10.42.0.7:8000", "[fd00::7]:8000"),
        # A browser always says one.
        "",
    ],
)
async def test_loopback_and_addresses_are_answered_to(host: str) -> None:
    async with client() as api:
        assert (await api.get("/livez", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("rebound.example", "rebound.example:8000", "chat.example"),
        *("localhost.rebound.example", "127.0.0.1.rebound.example:8000", "127.0.0.1@rebound.example"),
        *("[::1", "[::1]x", "a b", ":8000"),
    ],
)
async def test_other_names_are_refused_whatever_they_ask_for(host: str) -> None:
    async with client() as api:
        for method, path in (("GET", "/"), ("GET", "/livez"), ("DELETE", "/api/v1/sessions/s")):
            refused = await api.request(method, path, headers={"Host": host})
            assert refused.status_code == 421
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.headers["x-content-type-options"] == "nosniff"
            assert refused.json()["code"] == "unknown_host"
            assert "ALLOWED_HOSTS" in refused.json()["detail"]
        body = {"message": QUESTION}
        assert (await api.post("/api/v1/chat", json=body, headers={"Host": host})).status_code == 421
        openai = await api.get("/v1/models", headers={"Host": host})
        assert openai.json()["error"]["code"] == "unknown_host"


async def test_the_operators_names_are_answered_to() -> None:
    async with client("chat.example, Chat-API-1,") as api:
        for host, status in (("chat.example:443", 200), ("chat-api-1:8000", 200), ("other.example", 421)):
            assert (await api.get("/livez", headers={"Host": host})).status_code == status


async def test_the_operator_can_have_any_name_answered_to() -> None:
    async with client("*") as api:
        assert (await api.get("/livez", headers={"Host": "rebound.example"})).status_code == 200


def test_with_keys_any_name_will_do() -> None:
    assert known_hosts(settings(**BY_KEY)) is None


async def test_a_process_without_keys_refuses_other_names() -> None:
    nowhere = free_port()
    process = await ApiProcess.start(f"redis://127.0.0.1:{nowhere}/0", f"amqp://127.0.0.1:{nowhere}/")
    try:
        await process.serves()
        async with httpx.AsyncClient(base_url=process.url) as api:
            assert (await api.get("/livez", headers={"Host": "rebound.example"})).status_code == 421
            assert (await api.get("/livez")).status_code == 200
    finally:
        await process.close()
