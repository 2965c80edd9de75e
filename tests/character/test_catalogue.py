"""The data file, and what is refused in one."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_worker.guide.load import load_guide
from eco2_character.catalogue import BadCatalogue, load

WORDS = ("personality", "line", "tip", "english_line", "english_tip")


def entry(name: str, **changes: Any) -> dict[str, Any]:
    """A sound entry but for the changes."""
    made = dict.fromkeys(WORDS, "말이에요.") | {
        "name": name,
        "english_name": f"{name} en",
        "material": f"{name} 재질",
    }
    return made | changes


def written(path: Path, *entries: Any) -> Path:
    path.write_text(yaml.safe_dump({"characters": list(entries)}, allow_unicode=True), encoding="utf-8")
    return path


def test_every_material_of_the_guide_has_a_character() -> None:
    catalogue = load()

    materials = {item.material for item in load_guide().items}

    assert len(materials) >= 12
    assert [material for material in materials if catalogue.matching(material) is None] == []


def test_every_character_is_found_by_all_its_words() -> None:
    catalogue = load()

    for character in catalogue.characters:
        for name in (character.name, character.english_name):
            assert catalogue.named(name) is character
        for material in (character.material, *character.also):
            assert catalogue.matching(material) is character


def test_characters_speak_politely_and_in_both_languages() -> None:
    for character in load().characters:
        assert character.tip.rstrip(".!").endswith("요"), character.name
        assert character.english_line.isascii(), character.name
        assert character.english_tip.isascii(), character.name
        assert not character.line.isascii(), character.name


def test_a_good_file_is_read_in_its_order(tmp_path: Path) -> None:
    catalogue = load(written(tmp_path / "some.yaml", entry("하나"), entry("둘", also=["두 번째"])))

    assert [character.name for character in catalogue.characters] == ["하나", "둘"]
    second = catalogue.matching("두번째")
    assert second is not None
    assert second.name == "둘"


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([], "characters: Tuple should have at least 1 item"),
        ([entry("하나", tip="")], r"characters\.0\.tip: String should have at least 1 character"),
        ([entry("하나"), entry("둘", line="길" * 301)], r"characters\.1\.line: String should have at most"),
        ([entry("하나", colour="red")], r"characters\.0\.colour: Extra inputs are not permitted"),
        ([entry("하나", also=["PET", 3])], r"characters\.0\.also\.1: Input should be a valid string"),
        ([entry("!!!")], r"characters\.0\.name: String should match pattern"),
        ([entry("하나"), entry("둘", english_name="하나")], "하나 leads to both 하나 and 둘"),
        ([entry("하나", also=["유리"]), entry("둘", also=["유리류"])], "유리류 leads to both 하나 and 둘"),
        (["하나"], r"characters\.0: Input should be a valid dictionary"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, entries: list[Any], complaint: str) -> None:
    path = written(tmp_path / "some.yaml", *entries)

    with pytest.raises(BadCatalogue, match=rf"some\.yaml: .*({complaint})"):
        load(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"characters: [", "no readable YAML"),
        (b"\xff\xfe\xff", "no readable YAML"),
        (b"", "valid dictionary"),
        (b"#" * 1_000_001, "larger than 1000000 bytes"),
        (b"characters: !!python/object/apply:os.getcwd []", "no readable YAML"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "some.yaml"
    path.write_bytes(content)

    with pytest.raises(BadCatalogue, match=complaint):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match=r"none\.yaml: No such file"):
        load(tmp_path / "none.yaml")
