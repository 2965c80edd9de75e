"""Check the guide's data beyond its schema: python -m chat_worker.guide.lint prints one line per fault."""

import re
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

import yaml
from pydantic import ValidationError

from chat_worker.guide.load import load_guide
from chat_worker.guide.schema import Guide, Item, Section, Source

_SENTENCE_END: Final = re.compile(r"(?<=[.?!…])\s+")
_ODD_SPACING: Final = re.compile(r"\s{2,}|\n|\s[.,]|,(?=[^\s\d])")
# A reader would act on these, so each must stand in the source that backs the sentence.
_FIGURES: Final = {
    "year": re.compile(r"(?<!\d)(?:19|20)\d{2}(?=년|[.-]\d)"),
    "phone number": re.compile(r"(?<![\d-])\d{2,4}-\d{3,4}(?:-\d{4})?(?!\d)"),
    "amount of money": re.compile(r"\d[\d,]*\s?(?:천|만|백)?\s?원"),
}
# "LED" and "CD" are letters that a Korean speaker writes too; "led bulb" is a name.
_ENGLISH: Final = re.compile(r"(?=.*[a-z]{3})[a-z0-9][a-z0-9 '&-]+")


def faults(guide: Guide) -> Iterator[str]:
    """Yield what is wrong with a guide that its schema accepts, each fault in one line."""
    yield from chain.from_iterable(_source_faults(slug, source) for slug, source in guide.sources.items())
    yield from _unused_sources(guide)
    for item in guide.items:
        for fault in (*_name_faults(item), *_section_faults(guide, item)):
            yield f"{item.id}: {fault}"


def check(load: Callable[[], Guide] = load_guide) -> list[str]:
    """Return every fault of the guide that `load` reads, those of its schema included."""
    try:
        return [*faults(load())]
    except ValidationError as error:
        return [*_schema_faults(error)]
    except yaml.YAMLError as error:
        return [" ".join(str(error).split())]


def main(load: Callable[[], Guide] = load_guide) -> int:
    """Print the faults and return the exit code: 0 when there are none."""
    found = check(load)
    print("\n".join(found) or "The guide keeps its rules.")
    return 1 if found else 0


def _schema_faults(error: ValidationError) -> Iterator[str]:
    for detail in error.errors():
        where = ".".join(map(str, detail["loc"]))
        for message in detail["msg"].removeprefix("Value error, ").split("; "):
            yield f"{where}: {message}" if where else message


def _source_faults(slug: str, source: Source) -> Iterator[str]:
    if source.url and not source.url.startswith("https://"):
        yield f"source {slug}: the link is not https"
    if source.revised and not source.url:
        yield f"source {slug}: a date without a link where it can be read"


def _unused_sources(guide: Guide) -> Iterator[str]:
    used = {slug for item in guide.items for slug in (*item.sources, *item.cite.values())}
    for slug in guide.sources:
        if slug not in used:
            yield f"source {slug}: no item uses it"


def _name_faults(item: Item) -> Iterator[str]:
    if not any(_ENGLISH.fullmatch(alias) for alias in item.aliases):
        yield "no English alias"
    names = [*item.names, *item.shared]
    yield from (f"the name {name} is written twice" for name in {*names} if names.count(name) > 1)
    yield from (f"odd spacing in the name {name}" for name in names if _ODD_SPACING.search(name))


def _section_faults(guide: Guide, item: Item) -> Iterator[str]:
    written = dict(item.sections())
    yield from (f"cites a source for {section}, which is empty" for section in item.cite.keys() - written)
    for section, text in written.items():
        for sentence in _SENTENCE_END.split(text):
            if not sentence.endswith("요."):
                yield f"{section}: not a polite sentence: {sentence}"
        if _ODD_SPACING.search(text):
            yield f"{section}: odd spacing"
        yield from _unbacked_figures(section, text, guide.sources[item.cite.get(section, item.sources[0])])


def _unbacked_figures(section: Section, text: str, source: Source) -> Iterator[str]:
    stated = {*source.states, *([str(source.revised.year)] if source.revised else [])}
    for kind, pattern in _FIGURES.items():
        for figure in pattern.findall(text):
            if figure not in stated:
                yield f"{section}: the {kind} {figure} is not stated by its source"


if __name__ == "__main__":
    sys.exit(main())
