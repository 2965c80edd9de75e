"""The whole evaluation, on a handful of questions."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOME = """
import sys, uvloop
from evaluation.__main__ import conclude
from evaluation.run import Plan, run
from evaluation.surroundings import prepare
prepare()
conclude(uvloop.run(run(Plan(("held_out",), step=24, at_once=4))), is_strict=False)
"""


def test_the_product_is_asked_and_every_figure_is_measured():
    env = {**os.environ, "OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}
    ran = subprocess.run(
        [sys.executable, "-c", SOME], cwd=ROOT, env=env, capture_output=True, text=True, timeout=100
    )
    assert ran.returncode == 0, ran.stderr
    assert "model: eco2-sandbox (stand-in)" in ran.stdout
    assert "HTTP " not in ran.stdout
    assert "no answer" not in ran.stdout
    assert "unmeasured" not in ran.stdout
