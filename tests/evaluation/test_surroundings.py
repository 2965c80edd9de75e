"""What an evaluation changes in its environment."""

import os

import pytest

from evaluation.surroundings import prepare

ADDRESS = "http://127.0.0.1:1/v1"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch):
    for name in ("DATABASE_URL", "LOG_LEVEL", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        # Set first, so that what the evaluation sets is undone; empty wins over a developer's `.env`.
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("LOG_LEVEL")


def test_the_log_is_quiet_unless_somebody_wants_to_hear_it(monkeypatch: pytest.MonkeyPatch):
    prepare()
    assert os.environ["LOG_LEVEL"] == "WARNING"
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    prepare()
    assert os.environ["LOG_LEVEL"] == "INFO"


def test_the_users_database_stays_untouched(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///.data/eco2.sqlite")
    prepare()
    assert os.environ["DATABASE_URL"] == "memory:"


def test_an_address_alone_brings_a_real_model_in(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", ADDRESS)
    prepare()
    assert os.environ["OPENAI_API_KEY"]


def test_a_key_that_is_set_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", ADDRESS)
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    prepare()
    assert os.environ["OPENAI_API_KEY"] == "mine"


def test_without_key_and_address_the_stand_in_answers():
    prepare()
    assert os.environ["OPENAI_API_KEY"] == ""
