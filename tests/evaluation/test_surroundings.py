"""What an evaluation changes in its environment."""

import pytest

from evaluation.surroundings import prepare

ADDRESS = "http://127.0.0.1:1/v1"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch):
    for name in ("DATABASE_URL", "LOG_LEVEL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    # Empty wins over a key in the developer's `.env`.
    monkeypatch.setenv("OPENAI_API_KEY", "")


def read(monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    import os

    prepare()
    return os.environ.get(name, "")


def test_the_users_database_stays_untouched(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///.data/eco2.sqlite")
    assert read(monkeypatch, "DATABASE_URL") == "memory:"


def test_an_address_alone_brings_a_real_model_in(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", ADDRESS)
    assert read(monkeypatch, "OPENAI_API_KEY")


def test_a_key_that_is_set_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", ADDRESS)
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    assert read(monkeypatch, "OPENAI_API_KEY") == "mine"


def test_without_key_and_address_the_stand_in_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    assert read(monkeypatch, "OPENAI_API_KEY") == ""
