"""An earlier commit, laid out beside this one, for a rolling restart."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from eco2_devservers import guard

ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def laid_out(revision: str) -> Iterator[Path | None]:
    """A folder with that revision's sources while the context lasts; None where git does not have it."""
    # An archive leaves no trace in the repository, as a worktree would after a kill.
    command = ["git", "-C", str(ROOT), "archive", revision, "libs", "services"]
    archive = subprocess.run(command, capture_output=True, timeout=60)
    if archive.returncode != 0:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="eco2-release-") as folder:
        tree = Path(folder)
        guard.keep(tree)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True, timeout=60)
        try:
            yield tree
        finally:
            guard.forget(tree)


def python_path(tree: Path) -> str:
    """Where Python finds that tree's packages, before the installed ones."""
    sources = sorted(path for kind in ("libs", "services") for path in (tree / kind).glob("*/src"))
    return ":".join(str(path) for path in sources)


def short_name(revision: str) -> str:
    """The commit's short hash, or the name as it is where git does not know it."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", revision]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else revision
