"""The code blocks of a document, and how a reader applies them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"^(?:`(?P<file>[^`\n]+)`:\n\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its lines, and the file that the line before it names."""

    language: str
    code: str
    file: str | None


def blocks(document: str) -> list[Block]:
    """All blocks in order; one that follows another without a file of its own is of the same file."""
    found: list[Block] = []
    for match in _FENCED.finditer((ROOT / document).read_text(encoding="utf-8")):
        file = match["file"]
        if file is None and match["language"] == "diff":
            file = found[-1].file
        found.append(Block(match["language"], match["code"], file))
    return found


def apply(block: Block, root: Path) -> None:
    """Writes a new file, or changes the lines of a diff, which must be there exactly once."""
    assert block.file is not None
    path = root / block.file
    if block.language != "diff":
        assert not path.exists(), f"{block.file} is there already"
        path.write_text(block.code, encoding="utf-8")
        return
    before = _lines(block.code, "-")
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"not exactly once in {block.file}:\n{before}"
    path.write_text(text.replace(before, _lines(block.code, "+")), encoding="utf-8")


def _lines(diff: str, sign: str) -> str:
    kept = [line[1:] for line in diff.splitlines(keepends=True) if line[0] in (" ", sign)]
    return "".join(kept)
