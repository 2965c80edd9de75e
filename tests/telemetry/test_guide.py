"""Another service adopts the library as the guide says: the guide's own lines are run."""

import re
from pathlib import Path

import pytest

from tests.telemetry.programs import run
from tests.telemetry.receiver import Receiver

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "tracing-another-service.md"
SOURCES = Path(__file__).parents[2] / "libs" / "telemetry" / "src" / "eco2_telemetry"
(CODE,) = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_guides_lines_make_a_span_of_the_new_service(
    receiver: Receiver, exporting: pytest.MonkeyPatch
) -> None:
    assert run(CODE).strip() == "made"

    (span,) = receiver.spans
    assert (span.service, span.name) == ("thumbnails", "make thumbnail")


def test_the_guides_lines_run_where_nobody_listens(environment: pytest.MonkeyPatch) -> None:
    assert run(CODE).strip() == "made"


def test_five_lines_are_enough() -> None:
    ours = [line for line in CODE.splitlines() if line.strip() and "print(" not in line]

    assert len(ours) == 5


def test_every_variable_of_ours_is_in_the_guide() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCES.glob("*.py"))
    ours = {*re.findall(r'"(TELEMETRY_[A-Z_]+|ENVIRONMENT|OTEL_INSTRUMENTATION_[A-Z_]+)"', sources)}

    assert len(ours) == 4
    assert not [name for name in ours if name not in GUIDE.read_text(encoding="utf-8")]
