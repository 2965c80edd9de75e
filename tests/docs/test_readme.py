"""Both READMEs promise the same, and every document's links lead somewhere."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

ENGLISH, KOREAN = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z0-9-]+):(?:.*)## ", MAKEFILE, re.M))
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def commands(text: str) -> list[str]:
    """Every `make ...` that is written as code, sorted: languages put them in another order."""
    return sorted(re.findall(r"(?:^|`|\.\.\. )make(?: ([a-z0-9-]+))?(?=[ `\n])", text, re.M))


def proofs(text: str) -> list[str]:
    """The last cells of the table of promises."""
    return re.findall(r"^\| .+ \| (`make [^|]+`) \|$", text, re.M)


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)


def test_both_readmes_name_the_same_commands() -> None:
    assert commands(ENGLISH)
    assert commands(KOREAN) == commands(ENGLISH)


def test_both_readmes_prove_the_same_promises() -> None:
    assert len(proofs(ENGLISH)) >= 14
    assert proofs(KOREAN) == proofs(ENGLISH)


def test_both_readmes_tell_the_same_figures() -> None:
    def rows(text: str) -> list[list[str]]:
        lines = re.findall(r"^\| (?:Eco² Chat|`langgraph dev`|Aegra).*$", text, re.M)
        return [re.findall(r"\d[\d,.]*\d|\d", line) for line in lines]

    assert len(rows(ENGLISH)) == 4
    assert rows(KOREAN) == rows(ENGLISH)


def test_both_readmes_lead_to_each_other_and_to_the_same_pages() -> None:
    assert "README.ko.md" in links(ENGLISH)
    assert "README.md" in links(KOREAN)
    assert set(links(KOREAN)) - {"README.md"} == set(links(ENGLISH)) - {"README.ko.md"}


def test_what_is_promised_is_proved_by_commands_and_tests_that_are_there() -> None:
    assert {name for name in commands(ENGLISH) if name} <= TARGETS
    for folder in re.findall(r"\btests/[a-z_0-9/]+", " ".join(proofs(ENGLISH))):
        assert [*(ROOT / folder).glob("**/test_*.py")], folder


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    for link in links(document.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (document.parent / link).exists(), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_names_what_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert {name for name in commands(text) if name} <= TARGETS
    for module in re.findall(r"python -m ([a-z0-9_.]+)", text):
        assert find_spec(module), module


def test_make_lists_every_command_with_its_purpose() -> None:
    phony = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.M)[1].split())  # type: ignore[index]

    assert phony == TARGETS
