"""The packages that go out: built, and the client tried where nothing else of ours is."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from release import ROOT

DIST = ROOT / "dist"
_LIMIT_S = 600
_ALONE = """
import sys
import eco2_chat, eco2_chat.cli.main
ours = ("eco2_", "chat_api", "chat_worker", "all_in_one")
others = {name.partition(".")[0] for name in sys.modules if name.startswith(ours)} - {"eco2_chat"}
sys.exit(f"it imports {sorted(others)}" if others else 0)
"""


class NotBuilt(Exception):
    """A command failed; the text is what it said last."""


def build(version: str) -> int:
    """Builds wheels and sdists of every package into dist/; returns how many files there are."""
    uv = ROOT / ".venv/bin/uv"
    _run(str(uv), "build", "--quiet", "--all-packages", "--clear", "--out-dir", str(DIST), env=_with_index())
    made = [*DIST.glob(f"*-{version}-*.whl"), *DIST.glob(f"*-{version}.tar.gz")]
    packages = len([*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])
    if len(made) != 2 * packages:
        raise NotBuilt(f"{len(made)} files for {packages} packages")
    return len(made)


def try_client(version: str) -> str:
    """Installs the client's wheel into a new venv and asks the command for help; returns its first line."""
    wheel = next(DIST.glob(f"eco2_chat-{version}-*.whl"), None)
    if wheel is None:
        raise NotBuilt(f"there is no wheel of the client's {version} in dist/")
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / "venv"
        _run(sys.executable, "-m", "venv", str(venv))
        _run(
            str(venv / "bin/python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            str(wheel),
        )
        # -I: what is installed here, and nothing that the environment or the folder brings in.
        _run(str(venv / "bin/python"), "-I", "-c", _ALONE)
        return _run(str(venv / "bin/eco2"), "--help").splitlines()[0]


def _with_index() -> dict[str, str]:
    """The environment with pip's own index in it, which uv does not read."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    index = asked.stdout.strip()
    return {"UV_DEFAULT_INDEX": index, **os.environ} if asked.returncode == 0 and index else {**os.environ}


def _run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=_LIMIT_S, check=False
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise NotBuilt(f"{' '.join(command[:4])}: {said[-600:]}")
    return done.stdout
