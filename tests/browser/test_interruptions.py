import httpx
import pytest
from eco2_devservers import TcpProxy
from playwright.async_api import Route, expect

from tests.browser.chat_page import JOB, ONE, ChatPage, done, token
from tests.browser.servers import Product, Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_reload_in_mid_answer_goes_on_with_nothing_lost_or_doubled(
    chat: ChatPage, sandbox: Sandbox
) -> None:
    sandbox.behave(token_ms=40)
    await chat.ask()
    for characters in (10, 40):
        await chat.hears(characters)
        await chat.page.reload()
    await expect(chat.stop).to_be_visible()
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    await expect(chat.turns).to_have_count(1)
    assert len(chat.submits) == 1
    # The replay is from the first event, so the stages are told again as well.
    await expect(chat.turns.locator(".stage.completed")).to_have_count(3)


async def test_a_reload_after_the_end_shows_the_conversation_without_asking_anyone(chat: ChatPage) -> None:
    await chat.ask()
    await chat.ends()
    follows = len(chat.follows)
    await chat.page.reload()
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    await expect(chat.turns.get_by_text("표본 데이터")).to_be_visible()
    assert len(chat.follows) == follows


async def test_a_reload_while_the_question_is_on_its_way_asks_only_once(chat: ChatPage) -> None:
    jobs: list[str] = []
    held: list[Route] = []

    async def lose_the_reply(route: Route) -> None:
        response = await route.fetch()
        jobs.append((await response.json())["job_id"])
        if len(jobs) > 1:
            await route.fulfill(response=response)
        else:
            held.append(route)

    async def has_arrived() -> bool:
        return bool(held)

    await chat.page.route("**/api/v1/chat", lose_the_reply)
    await chat.ask()
    await chat.until(has_arrived)
    await chat.page.reload()
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    assert jobs[0] == jobs[1]
    await expect(chat.turns).to_have_count(1)


async def test_the_network_goes_and_comes_back_and_the_answer_goes_on(
    chat: ChatPage, sandbox: Sandbox
) -> None:
    sandbox.behave(token_ms=40)
    await chat.ask()
    await chat.hears()
    await chat.page.context.set_offline(True)
    await expect(chat.notice).to_contain_text("인터넷 연결이 끊겼어요")
    await chat.page.context.set_offline(False)
    await expect(chat.notice).to_be_empty()
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    assert len(chat.follows) > 1


async def test_a_cut_connection_is_resumed_after_the_last_event(
    chat: ChatPage, product: Product, sandbox: Sandbox
) -> None:
    with TcpProxy(product.port) as proxy:
        await chat.open(f"http://127.0.0.1:{proxy.port}/")
        sandbox.behave(token_ms=60)
        await chat.ask()
        await chat.hears()
        proxy.cut()
        await expect(chat.notice).to_contain_text("다시 잇고 있어요")
        await chat.ends()
        await expect(chat.notice).to_be_empty()
        await chat.shows_exactly(await chat.answer_of_the_api())
        first, *others = [await request.all_headers() for request in chat.follows]
        assert "last-event-id" not in first
        assert others
        assert all(headers["last-event-id"].startswith("1-") for headers in others)
        await chat.page.goto("about:blank")


async def test_the_end_of_the_job_is_the_end_of_its_connection(chat: ChatPage) -> None:
    await chat.is_told(token("끝"), done("끝"))
    for count in (1, 2, 3):
        await chat.ask()
        await expect(chat.turns).to_have_count(count)
        await chat.ends()
        assert len(chat.follows) == count


async def test_a_new_attempt_throws_the_partial_text_away(chat: ChatPage) -> None:
    reset = ("reset", {"attempt": 2, "reason": "worker lost"})
    await chat.is_told(token("**버릴 글**\n\n또"), reset, token("다시 쓴 "), token("글"), done("다시 쓴 글"))
    await chat.ask()
    await chat.ends()
    await chat.shows_exactly("다시 쓴 글")
    await expect(chat.turns.locator(".stage.retried")).to_have_text("처음부터 다시 작성")


async def test_a_gap_throws_away_what_will_be_told_again(chat: ChatPage) -> None:
    gap = ("gap", {"requested": "1-9", "resumed_from": "1-1"})
    await chat.is_told(token("앞부분, "), gap, token("앞부분, "), token("뒷부분"), done("앞부분, 뒷부분"))
    await chat.ask()
    await chat.ends()
    await chat.shows_exactly("앞부분, 뒷부분")


@pytest.mark.parametrize("status", [204, 410])
async def test_an_answer_whose_events_are_gone_is_shown_from_its_status(
    chat: ChatPage, sandbox: Sandbox, status: int
) -> None:
    sandbox.behave(token_ms=40)
    await chat.ask()
    await chat.hears()

    async def refuse(route: Route) -> None:
        await route.fulfill(status=status)

    await chat.page.route("**/events*", refuse)
    await chat.page.reload()
    await expect(chat.notice).to_contain_text("다시 잇고 있어요")
    await chat.ends()
    await expect(chat.notice).to_be_empty()
    await chat.shows_exactly(await chat.answer_of_the_api())
    await expect(chat.turns.locator(".sources .name").first).to_be_visible()


async def test_a_job_that_nobody_knows_any_more_keeps_its_text_and_can_be_asked_again(
    chat: ChatPage, sandbox: Sandbox
) -> None:
    sandbox.behave(token_ms=40)
    await chat.ask()
    partial = await chat.hears(20)
    job = (await chat.stored())["job"]
    job_id = job["statusUrl"].rpartition("/")[2]
    await chat.page.goto("about:blank")
    async with httpx.AsyncClient(base_url=chat.url) as client:

        async def has_ended() -> bool:
            return (await client.post(job["cancelUrl"])).status_code == 200

        await chat.until(has_ended)
    await chat.page.add_init_script(
        f"for (const key of Object.keys(localStorage)) if (key.startsWith('{ONE}'))"
        f" localStorage.setItem(key, localStorage.getItem(key).replaceAll('{job_id}', '{JOB}'))"
    )
    await chat.page.goto(chat.url)
    await chat.ends("error")
    await expect(chat.problem).to_contain_text("더 이상 보관되어 있지 않아요")
    assert (await chat.text.text_content() or "").startswith(partial[:15])
    sandbox.behave()
    await chat.again().click()
    await chat.ends()


async def test_an_outage_of_the_api_in_mid_answer_is_waited_out(chat: ChatPage, sandbox: Sandbox) -> None:
    sandbox.behave(token_ms=40)
    await chat.ask()
    await chat.hears()

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json={"code": "unavailable"})

    await chat.page.route("**/api/v1/chat/**", refuse)
    await chat.page.reload()
    await expect(chat.notice).to_contain_text("다시 잇고 있어요")
    await chat.page.unroute("**/api/v1/chat/**")
    await chat.ends()
    await expect(chat.notice).to_be_empty()
    await chat.shows_exactly(await chat.answer_of_the_api())


async def test_a_second_tab_shows_the_same_answer(chat: ChatPage, sandbox: Sandbox) -> None:
    sandbox.behave(token_ms=40)
    other = ChatPage(await chat.page.context.new_page(), chat.url)
    await other.open()
    await chat.ask()
    await other.hears()
    await chat.ends()
    await other.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    await other.shows_exactly(await chat.answer_of_the_api())
