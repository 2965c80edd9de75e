"""Every block of the README and of the guide to the API is run, or held against what it speaks of."""

import re
from pathlib import Path

import pytest
from chat_api.settings import ApiSettings
from chat_worker.settings import WorkerSettings
from playwright.async_api import async_playwright

from tests.browser.chromium import CHROMIUM, FLAGS
from tests.docs.blocks import ROOT, Block, blocks
from tests.docs.conftest import Product
from tests.docs.running import Examples

DOCUMENTS = ("README.md", "README.ko.md", "docs/guides/use-the-api.md")
CITED = "[1]"
"""An answer of the waste guide cites its first passage."""

IN_REACT = Path(__file__).with_name("react_page.js").read_text(encoding="utf-8")


def kind(block: Block) -> str:
    """How a block is proved; an example that nothing proves has no kind, and fails."""
    lines = [line for line in block.code.splitlines() if line and not line.startswith("#")]
    match block.language:
        case "bash" if all(line.startswith(("make", "git clone", "cd ")) for line in lines):
            return "make"
        case "bash" if "python -m" in block.code:
            return "processes"
        case "bash" if "curl " in block.code or "eco2 " in block.code:
            return "bash"
        case "python":
            return "python"
        case "js":
            return "react" if "useChat" in block.code else "node" if "import " in block.code else "browser"
        case "text":
            return "picture"
        case _:
            raise AssertionError(f"nothing proves this block:\n{block.code}")


def of(wanted: str) -> list[object]:
    """The blocks of one kind, named by their document."""
    found = [
        pytest.param(block, id=f"{Path(document).stem}-{number}")
        for document in DOCUMENTS
        for number, block in enumerate(blocks(document))
        if kind(block) == wanted
    ]
    assert found, wanted
    return list(found)


@pytest.mark.parametrize("block", of("bash"))
def test_commands_bring_answers(examples: Examples, block: Block) -> None:
    said = examples.bash(block.code)

    assert CITED in said
    if "curl" in block.code:
        assert said.count("event: done") == block.code.count("curl -sN")
        assert '"status":"done"' in said


@pytest.mark.parametrize("block", of("python"))
def test_python_prints_answers(examples: Examples, block: Block) -> None:
    assert CITED in examples.python(block.code)


@pytest.mark.parametrize("block", of("node"))
def test_javascript_prints_answers(examples: Examples, packages: Path, block: Block) -> None:
    assert CITED in examples.node(block.code, packages)


@pytest.mark.parametrize("block", of("react"))
def test_a_react_page_shows_the_answer_and_has_it_whole_after_a_reload(
    examples: Examples, packages: Path, block: Block
) -> None:
    lines = block.code.splitlines()
    imports = "\n".join(line for line in lines if line.startswith("import "))
    hook = "\n".join(line for line in lines if not line.startswith("import "))
    page = IN_REACT.replace("/* imports */", imports)
    # What a page draws with, the test looks at.
    page = page.replace("/* hook */", hook.replace("const chat = ", "chat = "))
    said = examples.node(page, packages)

    assert '"isSame":true,"isWhole":true' in said
    assert CITED in said


@pytest.mark.parametrize("block", of("browser"))
async def test_a_page_in_a_browser_gets_the_answer(product: Product, block: Block) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.goto(product.url)
        async with page.expect_console_message(
            lambda said: said.text.startswith("done "), timeout=60_000
        ) as said:
            await page.evaluate(f"(async () => {{ {block.code} }})()")
        text = (await said.value).text
        await browser.close()

    assert CITED in text


@pytest.mark.parametrize("block", of("make"))
def test_make_commands_are_there(block: Block) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"^make ([a-z0-9-]+)", block.code, re.M)

    assert named
    assert all(f"\n{name}: " in makefile for name in named)


@pytest.mark.parametrize("block", of("processes"))
def test_processes_and_their_settings_are_there(block: Block) -> None:
    settings = {*ApiSettings.model_fields, *WorkerSettings.model_fields}
    modules = re.findall(r"python -m ([a-z0-9_]+)", block.code)
    variables = re.findall(r"\b([A-Z][A-Z_]+)=", block.code)

    assert modules
    assert variables
    for module in modules:
        package = module.removeprefix("eco2_")
        assert [*ROOT.glob(f"*/*/src/{module}/__main__.py")], package
    assert {name.lower() for name in variables} <= settings
