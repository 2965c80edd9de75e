"""The version before this one is laid out for as long as it is needed, or said not to be there."""

from chaos.release import laid_out, python_path


def test_a_revision_is_there_with_its_packages_and_gone_afterwards() -> None:
    with laid_out("HEAD") as tree:
        assert tree is not None
        assert (tree / "services/chat-api/src/chat_api/__main__.py").is_file()
        assert f"{tree}/services/chat-worker/src" in python_path(tree).split(":")
    assert not tree.exists()


def test_a_revision_that_this_clone_lacks_is_none() -> None:
    with laid_out("no-such-revision") as tree:
        assert tree is None
