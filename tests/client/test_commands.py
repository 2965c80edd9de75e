"""Commands that other packages bring to `eco2`."""

from importlib.metadata import EntryPoint, EntryPoints

import pytest
from eco2_chat.cli import main as cli


def found(*arguments: str) -> int:
    """Stands for a command."""
    print("found", *arguments)
    return 3


def test_a_package_beside_it_brings_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    brought = EntryPoints([EntryPoint("look", f"{__name__}:looked", cli.COMMANDS)])
    monkeypatch.setattr(cli, "entry_points", lambda **chosen: brought.select(**chosen))
    monkeypatch.setattr(EntryPoint, "load", lambda _self: lambda told: found(*told))

    assert cli.main(["look", "--at", "this"]) == 3
    assert capsys.readouterr().out == "found --at this\n"


def test_a_command_that_is_not_there_is_said_to_come_with_its_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "entry_points", lambda **_: EntryPoints())

    assert cli.main(["dead-letters", "list"]) == 1
    assert "comes with the package eco2-chat-api" in capsys.readouterr().err
