"""A worker that is killed between two nodes: what was found is not looked up again."""

import asyncio

from tests.e2e import carriers
from tests.e2e.driver import Account, Load
from tests.e2e.stack import Stack, until
from tests.e2e.vendors import Vendors
from tests.e2e.viewer import Viewer


async def test_a_finished_node_is_not_run_again_by_the_worker_that_goes_on(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(0)
    (doomed,) = await stack.staff(1)
    await vendors.behave("kma", hang=True)
    before = await vendors.asked()
    job = await run.ask("재활용 정책 최신 뉴스 검색해줘. 노원구 날씨 어때?")
    await until(lambda: _is_saved(stack, job.session_id, branches=1))
    await asyncio.to_thread(doomed.kill)
    await vendors.behave("kma")
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
        first, second = attempts(viewer)
        assert ("web_search", "completed") in first
        assert ("weather", "completed") not in first
        assert [node for node, status in second if status == "started"] == ["weather", "answer"]
    assert stack.failures(job.job_id) == 1


def attempts(viewer: Viewer) -> list[list[tuple[str, str]]]:
    """The stages of each attempt."""
    stages: list[list[tuple[str, str]]] = [[]]
    for _, name, data in viewer.events:
        if name == "reset":
            stages.append([])
        elif name == "stage":
            stages[-1].append((data["node"], data["status"]))
    return stages


async def _is_saved(stack: Stack, session_id: str, branches: int) -> bool:
    return await carriers.saved_findings(stack, session_id) == branches
