"""The examples of the guide, run as they are printed."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from tests.api.services import MemoryWorld
from tests.api.serving import Api
from tests.api.worker import answer
from tests.client.asking import next_job

GUIDE = Path(__file__).parents[2] / "docs/guides/use-the-api.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(("example", "questions"), list(zip(EXAMPLES, (2, 1), strict=True)))
async def test_an_example_in_python_prints_the_answers(
    memory_world: MemoryWorld, memory_api: Api, example: str, questions: int
) -> None:
    code = example.replace("http://127.0.0.1:8000", memory_api.url)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=pipe, stderr=pipe)
    for number in range(questions):
        await answer(memory_world.log, (await next_job(memory_world)).job_id, f"답 {number}.")
    output, errors = await process.communicate()

    assert (process.returncode, errors) == (0, b"")
    assert all(f"답 {number}." in output.decode() for number in range(questions))
