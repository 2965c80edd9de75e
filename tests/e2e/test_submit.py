"""A submit that the broker did not confirm is refused, and leaves nothing behind."""

import asyncio

import httpx
from eco2_bus import topology
from eco2_devservers import TcpProxy, free_port

from tests.e2e.stack import Stack, until, until_answering

QUESTION = {"message": "페트병은 어떻게 버려?", "session_id": "refused"}


async def test_a_submit_without_a_broker_is_refused_and_leaves_no_job(stack: Stack) -> None:
    await stack.staff(1)
    before = stack.logs()
    await asyncio.to_thread(stack.rabbit.stop)
    try:
        async with httpx.AsyncClient(base_url=stack.api_url, timeout=20) as client:
            replies = [await client.post("/api/v1/chat", json=QUESTION) for _ in range(3)]
    finally:
        await asyncio.to_thread(stack.rabbit.start)
    for reply in replies:
        assert reply.status_code == 503
        assert int(reply.headers["Retry-After"]) > 0
        assert reply.headers["content-type"] == "application/problem+json"
    assert stack.logs() == before
    await stack.until_consumers(1)
    async with httpx.AsyncClient(base_url=stack.api_url, timeout=20) as client:
        assert (await client.post("/api/v1/chat", json=QUESTION)).status_code == 202


async def test_a_submit_whose_confirmation_is_lost_leaves_no_answered_job(stack: Stack) -> None:
    await stack.staff(1)
    with TcpProxy(stack.rabbit.port) as proxy:
        port = free_port()
        api = stack.make_api("api-behind-proxy", port, stack.amqp_url(proxy.port))
        api.start()
        try:
            await until_answering(f"http://127.0.0.1:{port}/readyz")
            before = stack.logs()
            proxy.limit_replies(0)
            sent = proxy.bytes_to_server
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                lost = await client.post("/api/v1/chat", json={**QUESTION, "session_id": "unconfirmed"})
                assert proxy.bytes_to_server > sent
                assert (lost.status_code, lost.headers["Retry-After"] != "") == (503, True)
                await until(lambda: _is_quiet(stack))
                assert stack.logs() == before
                again = await client.post("/api/v1/chat", json={**QUESTION, "session_id": "unconfirmed"})
                assert again.status_code == 202
        finally:
            api.close()


async def _is_quiet(stack: Stack) -> bool:
    """Nothing waits, and no answer is being streamed."""
    async with httpx.AsyncClient(base_url=stack.sandbox_url) as client:
        counts = (await client.get("/sandbox/requests")).json()
    is_idle = counts["stream"]["open"] == counts["plain"]["open"] == 0
    return is_idle and await stack.depth(topology.JOBS) == 0
