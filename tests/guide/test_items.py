"""The guide's data files keep the promises an answer relies on."""

from importlib.resources import files

import pytest
import yaml
from chat_worker.guide import Guide, Item, lint, load_guide
from chat_worker.guide.schema import SECTIONS
from pydantic import ValidationError

GUIDE = load_guide()
FAMILIES = {
    *("paper", "paper_pack", "clear_pet", "plastic", "vinyl", "styrofoam", "glass", "metal", "clothes"),
    *("battery", "lighting", "electronics", "general", "noncombustible", "food", "hazardous"),
    *("construction", "bulky"),
}


def entry(**changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "id": "cup",
        "name": "컵",
        "aliases": ["tea cup"],
        "material": "종이류",
        "prepare": ["비우세요."],
        "where": "종이류로 내놓으세요.",
        "avoid": ["젖은 채로 내놓지 마세요."],
        "sources": ["law"],
    }
    return plain | changes


def guide_of(*entries: dict[str, object], **law: object) -> Guide:
    return Guide.model_validate({"sources": {"law": {"title": "지침"} | law}, "items": entries})


def test_every_material_family_has_its_own_file():
    names = {path.name.removesuffix(".yaml") for path in (files("chat_worker.guide") / "items").iterdir()}
    assert names == FAMILIES


def test_the_guide_knows_at_least_three_hundred_and_twelve_items():
    assert len(GUIDE.items) >= 312


@pytest.mark.parametrize("item", GUIDE.items, ids=lambda item: item.id)
def test_an_item_speaks_in_whole_polite_sentences(item: Item):
    for section, text in item.sections():
        assert text.endswith("요."), f"{section}: {text}"


@pytest.mark.parametrize("item", GUIDE.items, ids=lambda item: item.id)
def test_an_item_can_be_asked_for_in_english(item: Item):
    assert any(name.isascii() for name in item.aliases)


@pytest.mark.parametrize("item", GUIDE.items, ids=lambda item: item.id)
def test_every_passage_of_an_item_names_its_source(item: Item):
    passages = GUIDE.passages(item)
    assert (
        {"버리는 곳", "준비", "하지 말 것"}
        <= {passage.section for passage in passages}
        <= {*SECTIONS.values()}
    )
    assert all(passage.source and passage.title == item.name for passage in passages)


def test_every_source_is_used_by_an_item():
    used = {source for item in GUIDE.items for source in (*item.sources, *item.cite.values())}
    assert used == set(GUIDE.sources)


def test_a_section_is_backed_by_the_source_it_cites_and_dated_as_that_source_is():
    lamp = next(item for item in GUIDE.items if item.id == "fluorescent-lamp")
    dated = {passage.section: (passage.source, passage.revised) for passage in GUIDE.passages(lamp)}
    assert dated["버리는 곳"] == (GUIDE.sources["digest"].title, None)
    assert dated["하지 말 것"] == (GUIDE.sources["gangdong"].title, GUIDE.sources["gangdong"].revised)


def test_two_items_may_not_have_the_same_id():
    with pytest.raises(ValidationError, match="cup is written twice"):
        guide_of(entry(), entry(name="잔", aliases=["glass"]))


def test_two_items_may_not_claim_the_same_name_in_another_spelling():
    with pytest.raises(ValidationError, match="claimed by cup, mug"):
        guide_of(entry(aliases=["베 개"]), entry(id="mug", name="잔", aliases=["배게", "베개"]))


def test_two_items_may_share_a_name_that_both_call_shared():
    guide = guide_of(
        entry(name="종이컵", shared=["컵"]),
        entry(id="mug", name="머그", aliases=["mug"], shared=["컵"]),
    )
    assert len(guide.items) == 2


def test_a_shared_name_must_stand_in_two_items():
    with pytest.raises(ValidationError, match="called shared but only cup"):
        guide_of(entry(name="종이컵", shared=["컵"]))


def test_a_source_that_is_not_listed_is_refused():
    with pytest.raises(ValidationError, match="unknown source rumour"):
        guide_of(entry(cite={"note": "rumour"}))


@pytest.mark.parametrize("field", ["prepare", "avoid", "sources"])
def test_an_item_without_steps_or_source_is_refused(field: str):
    with pytest.raises(ValidationError, match=field):
        guide_of(entry(**{field: []}))


def test_a_misspelt_field_is_refused():
    with pytest.raises(ValidationError, match="regionl"):
        guide_of(entry(regionl="지역마다 달라요."))


def test_the_packaged_guide_has_no_faults():
    assert lint.check() == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"aliases": ["컵들"]}, "cup: no English alias"),
        ({"aliases": ["CD", "LED"]}, "cup: no English alias"),
        ({"aliases": ["tea cup", "tea cup"]}, "cup: the name tea cup is written twice"),
        ({"aliases": ["tea cup", "찻  잔"]}, "cup: odd spacing in the name 찻  잔"),
        ({"where": "종이류로 내놓는다."}, "cup: where: not a polite sentence: 종이류로 내놓는다."),
        (
            {"note": "이렇게 하세요. 저렇게 함. 그렇게 하세요."},
            "cup: note: not a polite sentence: 저렇게 함.",
        ),
        ({"where": "종이류로  내놓으세요."}, "cup: where: odd spacing"),
        ({"cite": {"note": "law"}}, "cup: cites a source for note, which is empty"),
        ({"note": "2019년부터 바뀌었어요."}, "cup: note: the year 2019 is not stated by its source"),
        (
            {"where": "02-123-4567로 전화하세요."},
            "cup: where: the phone number 02-123-4567 is not stated by its source",
        ),
        ({"note": "3,000원을 내세요."}, "cup: note: the amount of money 3,000원 is not stated by its source"),
    ],
)
def test_the_linter_names_a_fault_in_one_line(changes: dict[str, object], fault: str):
    assert lint.check(lambda: guide_of(entry(**changes))) == [fault]


def test_the_linter_refuses_names_that_differ_only_in_spacing():
    spaced = entry(id="mug", name="찻 잔", aliases=["mug"])
    assert lint.check(lambda: guide_of(entry(name="찻잔"), spaced)) == ["찻잔 is claimed by cup, mug"]


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        ({"url": "http://example.org"}, "source law: the link is not https"),
        ({"revised": "2024-01-02"}, "source law: a date without a link where it can be read"),
    ],
)
def test_the_linter_refuses_a_source_nobody_can_check(law: dict[str, object], fault: str):
    assert lint.check(lambda: guide_of(entry(), **law)) == [fault]


def test_the_linter_refuses_a_source_that_no_item_uses():
    def load() -> Guide:
        return Guide.model_validate(
            {"sources": {"law": {"title": "지침"}, "rumour": {"title": "소문"}}, "items": [entry()]}
        )

    assert lint.check(load) == ["source rumour: no item uses it"]


def test_a_year_that_the_source_states_may_be_repeated():
    dated = entry(note="2024년 안내예요.")
    link = "https://example.org"
    assert lint.check(lambda: guide_of(dated, states=["2024"])) == []
    assert lint.check(lambda: guide_of(dated, url=link, revised="2024-01-02")) == []


def test_the_linter_tells_each_fault_of_the_schema_in_its_own_line():
    twice = entry(name="잔", aliases=["glass"], sources=["rumour"])
    assert lint.check(lambda: guide_of(entry(), twice)) == [
        "cup is written twice",
        "cup cites the unknown source rumour",
    ]
    assert lint.check(lambda: guide_of(entry(where=" ")))[0].startswith("items.0.where: ")


def test_the_linter_tells_that_a_file_cannot_be_read():
    assert len(lint.check(lambda: yaml.safe_load("items: [\n  - a: b: c"))) == 1


def test_the_linter_exits_with_one_when_there_are_faults(capsys: pytest.CaptureFixture[str]):
    assert lint.main(lambda: guide_of(entry(aliases=["컵들"]))) == 1
    assert capsys.readouterr().out == "cup: no English alias\n"


def test_the_linter_exits_with_nought_when_there_are_none(capsys: pytest.CaptureFixture[str]):
    assert lint.main(lambda: guide_of(entry())) == 0
    assert "keeps its rules" in capsys.readouterr().out
