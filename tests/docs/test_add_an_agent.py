"""The guide is followed word for word, in a copy of the worker."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block, apply, blocks

GUIDE = "docs/guides/add-an-agent.md"
COPIED = ("services/chat-worker/src", "tests/worker")
PYTEST = ("pytest", "-q", "-p", "no:cacheprovider")
OF_FOUR_STEPS = 5
"""The blocks that belong to a file: the agent, two changes of AGENTS, one of ROUTES, the test."""
ASKED_WITH_AN_INTENT_OF_ITS_OWN = """
from tests.worker.world import World


async def test_a_question_with_the_new_intent_reaches_the_new_agent_alone(world: World) -> None:
    world.model.intents["병 얼마야?"] = [("deposit", "소주병 얼마야?")]
    story = await world.answer("병 얼마야?")

    assert (story.end, story.ended["intents"]) == ("done", ["deposit"])
    assert [node for node, _ in story.stages("completed")] == ["intent", "bottle_deposit", "answer"]
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in COPIED:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def steps() -> list[Block]:
    return [block for block in blocks(GUIDE) if block.file is not None]


def run(copy: Path, *arguments: str) -> str:
    """`python -m` in the copy, whose worker comes before the installed one."""
    env = {**os.environ, "PYTHONPATH": str(copy / "services/chat-worker/src")}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_four_steps_put_an_agent_into_the_graph(copy: Path) -> None:
    for step in steps()[:OF_FOUR_STEPS]:
        apply(step, copy)

    test = "tests/worker/test_agents_bottle_deposit.py"
    assert "4 passed" in run(copy, *PYTEST, test)
    run(copy, "ruff", "check", "--no-cache", "services", test)
    run(copy, "ruff", "format", "--check", "--no-cache", "services", test)


def test_an_intent_of_its_own_is_understood_and_routed(copy: Path) -> None:
    for step in steps():
        apply(step, copy)
    (copy / "tests/worker/test_own_intent.py").write_text(ASKED_WITH_AN_INTENT_OF_ITS_OWN, encoding="utf-8")

    # The tests that hold the routes to the table of agents are content with it as well.
    run(copy, *PYTEST, "tests/worker/test_own_intent.py", "tests/worker/test_routing.py")


def test_the_guides_commands_are_commands_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = [block.code for block in blocks(GUIDE) if block.language == "bash"]

    assert commands
    for line in "".join(commands).splitlines():
        assert f"\n{line.split()[1]}: " in makefile
