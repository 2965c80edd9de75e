"""A worker that is killed between two nodes: what was found is not looked up again."""

import asyncio

from tests.e2e import carriers
from tests.e2e.driver import Account, Load
from tests.e2e.stack import Stack, until
from tests.e2e.vendors import Vendors

SLOW_MS = 2_500
"""Within the client's patience, and longer than a save and a kill take."""


async def test_a_finished_node_is_not_run_again_by_the_worker_that_goes_on(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(0)
    (doomed,) = await stack.staff(1)
    await vendors.behave("kma", latency_ms=SLOW_MS)
    before = await vendors.asked()
    job = await run.ask("재활용 정책 최신 뉴스 검색해줘. 노원구 날씨 어때?")
    await until(lambda: _is_saved(stack, job.session_id, branches=1))
    await asyncio.to_thread(doomed.kill)
    told = [(stage["node"], stage["status"]) for stage in job.viewers[0].all("stage")]
    assert ("web_search", "completed") in told
    assert ("weather", "completed") not in told
    await vendors.behave("kma", latency_ms=0)
    await stack.staff(1)
    await run.ended()
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=1, completed=1)
    asked = {name: count - before[name] for name, count in (await vendors.asked()).items()}
    assert (asked["tavily"], asked["plain"], asked["stream"]) == (1, 1, 1)
    assert asked["kma"] > 3
    for viewer in job.viewers:
        (reset,) = viewer.all("reset")
        assert viewer.ended["attempts"] == reset["attempt"] == 2
        assert viewer.ended["intents"] == ["web_search", "weather"]
        assert "℃" in viewer.text
        assert "웹에서 찾은 내용" in viewer.text
        assert viewer.ended["usage"]["input_tokens"] > 0
        assert nodes_after_reset(viewer.events) == ["weather", "answer"]
    assert stack.failures(job.job_id) == 1


def nodes_after_reset(events: list[tuple[str, str, dict[str, str]]]) -> list[str]:
    """The nodes that the second attempt began."""
    at = [name for _, name, _ in events].index("reset")
    stages = [data for _, name, data in events[at:] if name == "stage"]
    return [stage["node"] for stage in stages if stage["status"] == "started"]


async def _is_saved(stack: Stack, session_id: str, branches: int) -> bool:
    return await carriers.saved_findings(stack, session_id) == branches
