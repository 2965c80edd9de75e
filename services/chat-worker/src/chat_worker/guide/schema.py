"""What a guide entry is, and the rules a set of entries must keep."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from chat_worker.guide.normalise import fold

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$")]
Section = Literal["where", "prepare", "avoid", "regional", "note"]

SECTIONS: Final[Mapping[Section, str]] = {
    "where": "버리는 곳",
    "prepare": "준비",
    "avoid": "하지 말 것",
    "regional": "지역 차이",
    "note": "참고",
}


class Frozen(BaseModel):
    """A type that cannot change and knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Frozen):
    """Where facts come from; `revised` is the date the source itself states, or None.

    `states` lists the years and phone numbers that stand in it and that items repeat.
    """

    title: Text
    url: Text | None = None
    revised: date | None = None
    states: tuple[Text, ...] = ()


class Passage(Frozen):
    """Whole Korean sentences of one section of one item, with the source that backs them."""

    title: str
    section: str
    text: str
    source: str
    url: str | None = None
    revised: date | None = None


class Item(Frozen):
    """One thing people throw away; the first of `sources` backs a section that `cite` does not name."""

    id: Slug
    name: Text
    aliases: tuple[Text, ...] = ()
    # Names that fit several things ("컵"): the same name stands in at least two items.
    shared: tuple[Text, ...] = ()
    material: Text
    prepare: tuple[Text, ...] = Field(min_length=1)
    where: Text
    avoid: tuple[Text, ...] = Field(min_length=1)
    regional: Text | None = None
    note: Text | None = None
    sources: tuple[Slug, ...] = Field(min_length=1)
    cite: Mapping[Section, Slug] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names that belong to this item alone."""
        return (self.name, *self.aliases)

    def sections(self) -> Iterator[tuple[Section, str]]:
        """Yield each section that has text."""
        texts = (self.where, " ".join(self.prepare), " ".join(self.avoid), self.regional, self.note)
        for section, text in zip(SECTIONS, texts, strict=True):
            if text:
                yield section, text


class Guide(Frozen):
    """All items and sources; raises ValidationError when they do not fit together."""

    sources: Mapping[Slug, Source]
    items: tuple[Item, ...] = Field(min_length=1)

    def passages(self, item: Item) -> tuple[Passage, ...]:
        """Return the item's sections, where it goes first."""
        return tuple(self._passage(item, section, text) for section, text in item.sections())

    def _passage(self, item: Item, section: Section, text: str) -> Passage:
        source = self.sources[item.cite.get(section, item.sources[0])]
        return Passage(
            title=item.name,
            section=SECTIONS[section],
            text=text,
            source=source.title,
            url=source.url,
            revised=source.revised,
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [*self._repeated_ids(), *self._unknown_sources(), *self._contested_names()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _repeated_ids(self) -> Iterator[str]:
        seen: set[str] = set()
        for item in self.items:
            if item.id in seen:
                yield f"{item.id} is written twice"
            seen.add(item.id)

    def _unknown_sources(self) -> Iterator[str]:
        for item in self.items:
            for source in (*item.sources, *item.cite.values()):
                if source not in self.sources:
                    yield f"{item.id} cites the unknown source {source}"

    def _contested_names(self) -> Iterator[str]:
        own: defaultdict[str, set[str]] = defaultdict(set)
        shared: defaultdict[str, set[str]] = defaultdict(set)
        for item in self.items:
            for name in item.names:
                own[fold(name)].add(item.id)
            for name in item.shared:
                shared[fold(name)].add(item.id)
        for name, owners in own.items():
            if len(owners | shared.get(name, set())) > 1:
                yield f"{name} is claimed by {', '.join(sorted(owners | shared.get(name, set())))}"
        for name, owners in shared.items():
            if len(owners) < 2:
                yield f"{name} is called shared but only {', '.join(owners)} has it"
