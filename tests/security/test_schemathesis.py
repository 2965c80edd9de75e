"""The whole product under requests made from its own document, right and wrong, in every order.

FUZZ_S=600 has it go on for ten minutes.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from eco2_devservers import Program, free_port

from tests.e2e.stack import until_answering

HERE = Path(__file__).parent
SECONDS = int(os.environ.get("FUZZ_S", "30"))
PHASES = "examples,coverage,fuzzing,stateful"


@pytest.mark.timeout(SECONDS + 260)
async def test_no_request_gets_a_server_error_or_an_answer_that_is_not_documented(tmp_path: Path) -> None:
    port = free_port()
    product = Program(
        "all-in-one",
        tmp_path,
        "-m",
        "all_in_one",
        "--port",
        str(port),
        DATABASE_URL=f"sqlite:///{tmp_path}/eco2",
    )
    product.start()
    try:
        await until_answering(f"http://127.0.0.1:{port}/readyz")
        code, said = await schemathesis(f"http://127.0.0.1:{port}/openapi.json", tmp_path)
    finally:
        product.close()
    assert code == 0, said[-8_000:]
    assert re.search(r"Selected: (\d+)/\1\s+Tested: \1\s", said), said[-2_000:]


async def schemathesis(document: str, folder: Path) -> tuple[int, str]:
    """Runs all its checks for SECONDS; gives its exit code and what it said."""
    program = Path(sys.executable).with_name("schemathesis")
    options = f"--config-file {HERE / 'schemathesis.toml'} run {document} --checks all --phases {PHASES}"
    limits = f"--max-time {SECONDS} --max-examples 20 --request-timeout 60 --seed 1 --no-color"
    running = await asyncio.create_subprocess_exec(
        program,
        *options.split(),
        *limits.split(),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SECONDS + 150):
            said, _ = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    assert running.returncode is not None
    return running.returncode, said.decode()
