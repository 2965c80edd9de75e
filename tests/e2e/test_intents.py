"""Each of the ten intents from the question to `done`, over every real server, watched by two viewers."""

from dataclasses import dataclass

import pytest

from tests.e2e import carriers
from tests.e2e.driver import Account, Job, Load
from tests.e2e.stack import Stack
from tests.e2e.vendors import Vendors


@dataclass(frozen=True)
class Case:
    """A question, the agents that look things up for it, and what their evidence is from."""

    intent: str
    question: str
    agents: tuple[str, ...]
    documents: tuple[str, ...] = ()
    says: str = ""
    vendors: tuple[str, ...] = ()


GUIDE = "eco2-team/backend 분리배출 데이터 (MIT)"
CASES = (
    Case("waste", "다 쓴 페트병은 어떻게 버려?", ("waste_rag",), (GUIDE,), "라벨"),
    Case(
        "bulk_waste",
        "마포구에서 소파 버리는 수수료 얼마야?",
        ("bulk_waste", "weather"),
        (
            GUIDE,
            "행정안전부 전국대형폐기물수거수수료정보",
            "행정안전부 생활쓰레기배출정보",
            "기상청 단기예보",
        ),
        "마포구 수수료: ",
        ("kakao", "fees", "mois", "kma"),
    ),
    Case("character", "페트병 캐릭터 알려줘", ("character",), ("Eco² 캐릭터 도감",), "말그미"),
    Case(
        "location",
        "강남역 근처 제로웨이스트샵 어디 있어?",
        ("location",),
        ("카카오맵",),
        "제로웨이스트샵 역삼동점",
        ("kakao",),
    ),
    Case(
        "collection_point",
        "송파구 건전지 수거함 어디 있어?",
        ("collection_point",),
        ("전국폐형광등·폐건전지수거함표준데이터",),
        "송파구 예시로",
        ("kakao", "boxes"),
    ),
    Case(
        "recyclable_price",
        "페트 시세 알려줘",
        ("recyclable_price",),
        ("한국환경공단 재활용가능자원 가격조사",),
        "원/kg",
        ("prices",),
    ),
    Case("weather", "해운대구 날씨 어때?", ("weather",), ("기상청 단기예보",), "℃", ("kakao", "kma")),
    Case(
        "web_search",
        "재활용 정책 최신 뉴스 검색해줘",
        ("web_search",),
        ("news.example.com",),
        "웹에서 찾은 내용",
        ("tavily",),
    ),
    Case("image_generation", "분리배출 포스터 그려줘", ("image_generation",), ("OpenAI",), "", ("images",)),
    Case("general", "너는 누구야?", ("general",), (), "Eco²"),
)


@pytest.fixture(scope="module", autouse=True)
def newcomers(running: Stack) -> None:
    """A worker that has served other tests may know from them what it would have to ask vendors here."""
    for worker in running.workers:
        worker.close()


@pytest.mark.parametrize("case", CASES, ids=[case.intent for case in CASES])
async def test_an_intent_is_served_from_the_question_to_done(
    stack: Stack, vendors: Vendors, run: Load, case: Case
) -> None:
    await stack.staff(1)
    before = await vendors.asked()
    job = await run.ask(case.question)
    await run.ended()
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=1, completed=1)
    done = job.viewers[0].ended
    assert done["intents"] == [case.intent]
    assert case.says in done["answer"]
    assert set(case.documents) <= {source["document"] for source in done["sources"]}
    assert bool(done["sources"]) == bool(case.documents)
    assert all(source["title"] and source["document"] for source in done["sources"])
    assert_stages(job, case.agents)
    after = await vendors.asked()
    assert [vendor for vendor in case.vendors if after[vendor] == before[vendor]] == []
    turn = await run.listed(job)
    same = ("answer", "intents", "sources", "attempts", "trace_id")
    assert {name: turn[name] for name in same} == {name: done[name] for name in same}
    assert (turn["question"], turn["status"]) == (case.question, "done")


def assert_stages(job: Job, agents: tuple[str, ...]) -> None:
    """The intent, then the agents in any order, then the answer: each begun and completed once."""
    stages = [(stage["node"], stage["status"]) for stage in job.viewers[0].all("stage")]
    both = ("started", "completed")
    assert stages[:2] == [("intent", status) for status in both]
    assert stages[-2:] == [("answer", status) for status in both]
    assert sorted(stages[2:-2]) == sorted((agent, status) for agent in agents for status in both)


async def test_a_drawn_picture_is_served_by_address_and_its_bytes_travel_no_further(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(1)
    async with carriers.tapped(stack) as messages:
        job = await run.ask("유리병 분리배출 포스터 그려줘")
        await run.ended()
    await run.listed(job)
    for viewer in job.viewers:
        (image,) = viewer.all("image")
        assert image["url"].startswith("/api/v1/images/")
        assert image["alt"]
    reply = await run.api.get(image["url"])
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("image/")
    assert messages
    await carriers.assert_only_kept(stack, reply.content, messages)
