"""The characters: read once from a data file, checked as a whole, and looked up by folded words."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

import yaml
from eco2_character_api import MAX_WORDS_CHARS
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

PACKAGED = Path(__file__).with_name("characters.yaml")
MAX_FILE_BYTES = 1_000_000

Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_WORDS_CHARS, pattern=r"\w")
]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class BadCatalogue(Exception):
    """The data file cannot be used; the text says why, entry by entry."""


class Character(BaseModel):
    """One character; `also` is what else people call its kind of waste."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Words
    english_name: Words
    material: Words
    also: tuple[Words, ...] = ()
    personality: Sentence
    line: Sentence
    tip: Sentence
    english_line: Sentence
    english_tip: Sentence


class Catalogue(BaseModel):
    """All characters; no word may lead to two of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    characters: tuple[Character, ...] = Field(min_length=1, max_length=200)
    _by_name: dict[str, Character]
    _by_material: dict[str, Character]

    def named(self, name: str) -> Character | None:
        """The character of a Korean or English name."""
        return self._by_name.get(fold(name))

    def matching(self, material: str) -> Character | None:
        """The character of a kind of waste."""
        return self._by_material.get(fold(material))

    @model_validator(mode="after")
    def _look_up_words(self) -> Self:
        by_name: dict[str, Character] = {}
        by_material: dict[str, Character] = {}
        problems: list[str] = []
        for character in self.characters:
            problems += _enter(by_name, character, (character.name, character.english_name))
            problems += _enter(by_material, character, (character.material, *character.also))
        if problems:
            raise ValueError("; ".join(problems))
        self._by_name, self._by_material = by_name, by_material
        return self


def load(path: Path = PACKAGED) -> Catalogue:
    """Reads a catalogue; raises BadCatalogue."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadCatalogue(f"{path}: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise BadCatalogue(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    try:
        return Catalogue.model_validate(yaml.safe_load(data))
    except (yaml.YAMLError, UnicodeError) as error:
        raise BadCatalogue(f"{path}: no readable YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise BadCatalogue(f"{path}: {'; '.join(explain(error))}") from error


def fold(words: str) -> str:
    """One spelling for words that people write alike: no case, spaces or signs, no "류" (kind) at the end."""
    letters = "".join(c for c in unicodedata.normalize("NFKC", words).casefold() if c.isalnum())
    # Two syllables or more have to remain, or clothes (의류) would be nothing but 의.
    return letters[:-1] if len(letters) > 2 and letters.endswith("류") else letters


def explain(error: ValidationError) -> Iterator[str]:
    """What is wrong where, without the values."""
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in problem["loc"])
        yield f"{place}: {problem['msg']}" if place else problem["msg"]


def _enter(entries: dict[str, Character], character: Character, words: tuple[str, ...]) -> Iterator[str]:
    for word in words:
        owner = entries.setdefault(fold(word), character)
        if owner is not character:
            yield f"{word} leads to both {owner.name} and {character.name}"
