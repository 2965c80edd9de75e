"""The reference of the API is what its document says, and reads well."""

import re
import subprocess
import sys

from release import REFERENCE
from release.reference import markdown
from tests.api import documented
from tests.docs.blocks import ROOT


def test_the_committed_page_is_what_make_reference_writes() -> None:
    command = [sys.executable, "-m", "release", "current"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)

    assert (done.returncode, done.stderr) == (0, "")


def test_every_call_status_field_and_event_is_on_the_page() -> None:
    document = documented.document()
    page = markdown(document)

    for path, methods in document["paths"].items():
        for method, call in methods.items():
            section = page.partition(f"\n## {method.upper()} {path}\n")[2].partition("\n## ")[0]
            assert section, path
            for status, answer in call["responses"].items():
                (row,) = (line for line in section.splitlines() if line.startswith(f"| `{status}` |"))
                assert all(f"`{name}`" in row for name in answer.get("headers", {}))
    for name, schema in document["components"]["schemas"].items():
        if "ValidationError" not in name:
            section = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
            assert all(f"| `{field}`" in section for field in schema.get("properties", {})), name
    assert all(f"| `{event}` | [" in page for event in documented.events())


def test_every_link_within_the_page_leads_to_a_heading_of_it() -> None:
    page = REFERENCE.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", page, re.M)
    anchors = {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}

    links = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert links
    assert links <= anchors


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    cells = 0
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        bars = len(re.findall(r"(?<!\\)\|", line))
        cells = cells or bars
        assert bars == cells, line
