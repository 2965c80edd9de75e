"""The guide's data files keep the promises an answer relies on."""

from importlib.resources import files

import pytest
from chat_worker.guide import Guide, Item, load_guide
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
        "material": "종이류",
        "prepare": ["비우세요."],
        "where": "종이류로 내놓으세요.",
        "avoid": ["젖은 채로 내놓지 마세요."],
        "sources": ["law"],
    }
    return plain | changes


def guide_of(*entries: dict[str, object]) -> Guide:
    return Guide.model_validate({"sources": {"law": {"title": "지침"}}, "items": entries})


def test_every_material_family_has_its_own_file():
    names = {path.name.removesuffix(".yaml") for path in (files("chat_worker.guide") / "items").iterdir()}
    assert names == FAMILIES


def test_the_guide_knows_at_least_ninety_items():
    assert len(GUIDE.items) >= 90


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
        guide_of(entry(), entry(name="잔"))


def test_two_items_may_not_claim_the_same_name_in_another_spelling():
    with pytest.raises(ValidationError, match="claimed by cup, mug"):
        guide_of(entry(aliases=["베 개"]), entry(id="mug", name="잔", aliases=["배게", "베개"]))


def test_two_items_may_share_a_name_that_both_call_shared():
    guide = guide_of(
        entry(name="종이컵", shared=["컵"]),
        entry(id="mug", name="머그", shared=["컵"]),
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
