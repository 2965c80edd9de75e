"""Which switches mean what, and what a run is started with."""

import logging
import subprocess
import sys
import threading
from contextlib import AsyncExitStack
from typing import Any

import pytest
from chat_api.feedback import run_id_of as run_id_of_feedback
from chat_worker.agents import AGENTS
from chat_worker.domain import Intent
from chat_worker.graph.routing import ROUTES
from chat_worker.settings import WorkerSettings
from chat_worker.telemetry import (
    INTENT_FEATURE_MAP,
    LangSmithTelemetryAdapter,
    NoOpTelemetryConfig,
    configure_langsmith,
    get_run_config,
    is_langsmith_enabled,
)
from chat_worker.telemetry.compose import open_following
from chat_worker.telemetry.run_id import run_id_of
from chat_worker.telemetry.switches import LangSmithSwitches, Mode
from eco2_telemetry.setup import set_up

ON = {"LANGCHAIN_TRACING_V2": "true"}
KEY = {"LANGCHAIN_API_KEY": "lsv2_pt_secret"}
OTEL = {"LANGSMITH_OTEL_ENABLED": "true"}


@pytest.mark.parametrize(
    ("env", "mode"),
    [
        ({}, Mode.OFF),
        (KEY, Mode.OFF),
        (ON, Mode.OFF),
        ({**ON, "LANGCHAIN_API_KEY": ""}, Mode.OFF),
        ({"LANGCHAIN_TRACING_V2": "false", **KEY}, Mode.OFF),
        ({"LANGCHAIN_TRACING_V2": "yes", **KEY}, Mode.OFF),
        ({"LANGCHAIN_TRACING_V2": "", **KEY}, Mode.OFF),
        ({**OTEL, **KEY}, Mode.OFF),
        ({**ON, **KEY}, Mode.NATIVE),
        ({"LANGCHAIN_TRACING_V2": "True", **KEY}, Mode.NATIVE),
        ({"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "k"}, Mode.NATIVE),
        ({"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "", **KEY}, Mode.NATIVE),
        ({**ON, "LANGCHAIN_API_KEY": "", "LANGSMITH_API_KEY": "k"}, Mode.NATIVE),
        ({**ON, **KEY, "LANGSMITH_OTEL_ENABLED": "false"}, Mode.NATIVE),
        ({**ON, **OTEL}, Mode.OTEL),
        ({**ON, **OTEL, **KEY}, Mode.OTEL),
        ({**ON, "LANGSMITH_TRACING_MODE": "otel", **KEY}, Mode.OTEL),
        ({**ON, **OTEL, "LANGSMITH_TRACING_MODE": "hybrid"}, Mode.OTEL),
        ({**ON, **OTEL, **KEY, "LANGSMITH_TRACING_MODE": "hybrid"}, Mode.HYBRID),
    ],
)
def test_the_mode_follows_from_the_switches(
    environment: pytest.MonkeyPatch, env: dict[str, str], mode: Mode
) -> None:
    for name, value in env.items():
        environment.setenv(name, value)

    assert WorkerSettings().langsmith.mode is mode
    assert is_langsmith_enabled() is configure_langsmith() is (mode is not Mode.OFF)


def test_project_endpoint_and_environment_are_known_by_both_names(environment: pytest.MonkeyPatch) -> None:
    standard = LangSmithSwitches()
    assert (standard.project, standard.endpoint, standard.environment) == (
        "eco2-chat-worker",
        "https://api.smith.langchain.com",
        "development",
    )
    environment.setenv("LANGSMITH_PROJECT", "new")
    environment.setenv("LANGSMITH_ENDPOINT", "https://new.example/")
    environment.setenv("ENVIRONMENT", "production")
    told = LangSmithSwitches()
    assert (told.project, told.endpoint, told.environment) == ("new", "https://new.example", "production")
    environment.setenv("LANGCHAIN_PROJECT", "old")
    environment.setenv("LANGCHAIN_ENDPOINT", "https://old.example")
    assert (LangSmithSwitches().project, LangSmithSwitches().endpoint) == ("old", "https://old.example")


def test_tracing_without_a_key_is_off_with_a_warning_also_for_the_library(
    environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import langsmith.utils

    environment.setenv("LANGCHAIN_TRACING_V2", "true")

    assert configure_langsmith() is False
    assert langsmith.utils.tracing_is_enabled() is False
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("env", [{}, ON | KEY, ON | OTEL])
def test_every_mode_says_so_in_one_line_without_the_key(
    environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, env: dict[str, str]
) -> None:
    for name, value in env.items():
        environment.setenv(name, value)
    with caplog.at_level(logging.INFO, "chat_worker.telemetry"):
        configure_langsmith()

    assert len(caplog.messages) == 1
    assert "secret" not in caplog.text


def test_a_run_is_named_tagged_and_threaded() -> None:
    tags = ["mine"]

    config = get_run_config("j1", "s1", "u1", "waste", tags, {"attempt": 2})

    assert config == {
        "run_name": "chat:j1",
        "tags": ["mine", "intent:waste"],
        "metadata": {"job_id": "j1", "user_id": "u1", "session_id": "s1", "intent": "waste", "attempt": 2},
        "configurable": {"thread_id": "s1"},
    }
    assert tags == ["mine"]


def test_what_is_not_known_is_left_out() -> None:
    assert get_run_config("j1") == {"run_name": "chat:j1", "tags": [], "metadata": {"job_id": "j1"}}


def test_default_and_request_tags_are_merged_without_doubles_and_without_touching_the_lists() -> None:
    default, asked = ["env:test", "a"], ["a", "b", "intent:waste"]
    adapter = LangSmithTelemetryAdapter(default)

    first = adapter.get_run_config("j1", intent="waste", tags=asked)
    first["tags"].append("later")

    expected = ["env:test", "a", "b", "intent:waste"]
    assert adapter.get_run_config("j1", intent="waste", tags=asked)["tags"] == expected
    assert (default, asked) == (["env:test", "a"], ["a", "b", "intent:waste"])


def test_an_adapter_by_itself_is_enabled_as_the_environment_says(environment: pytest.MonkeyPatch) -> None:
    adapter = LangSmithTelemetryAdapter()
    assert not adapter.is_enabled()
    environment.setenv("LANGSMITH_TRACING", "true")
    environment.setenv("LANGSMITH_API_KEY", "k")
    assert adapter.is_enabled()
    assert "callbacks" not in adapter.get_run_config("j1")


def test_without_telemetry_runs_keep_their_name_and_thread() -> None:
    nothing = NoOpTelemetryConfig()

    config = nothing.get_run_config("j1", "s1", "u1", "waste", ["t"], {"m": 1})

    assert not nothing.is_enabled()
    assert config == {"run_name": "chat:j1", "configurable": {"thread_id": "s1"}}
    assert nothing.get_run_config("j1") == {"run_name": "chat:j1"}


def test_every_intent_has_its_feature_with_the_agents_that_serve_it() -> None:
    assert set(INTENT_FEATURE_MAP) == set(Intent)
    for intent, feature in INTENT_FEATURE_MAP.items():
        assert set(ROUTES[Intent(intent)]) <= set(feature["subagents"]) <= {*AGENTS, "feedback"}
        assert feature["feature"] in ("rag", "external_api", "grpc", "llm", "image")
        assert feature["description"]
        assert feature["has_feedback"] is ("feedback" in feature["subagents"])


def test_both_services_name_a_run_by_the_same_rule() -> None:
    job_id = "0123456789abcdef" * 2

    ids = [run_id_of(job_id, attempt) for attempt in (1, 2, 3)]

    assert ids == [run_id_of_feedback(job_id, attempt) for attempt in (1, 2, 3)]
    assert len(set(ids)) == 3
    assert {run_id.version for run_id in ids} == {7}
    # Written down: feedback on runs of an older version must still find them.
    assert str(ids[0]) == "c356cbae-d2f9-7a89-b958-a23567ebe5bc"


def test_what_is_off_loads_nothing_that_follows() -> None:
    script = (
        "import chat_worker.bootstrap, chat_worker.telemetry.compose, sys;"
        "print([m for m in sys.modules if 'telemetry.following' in m or 'telemetry.model_runs' in m])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("env", [{}, ON, ON | OTEL])
async def test_what_is_off_starts_no_thread_and_puts_nothing_in_the_way(
    environment: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    """Without a collector there are no traces that runs could go into."""
    for name, value in env.items():
        environment.setenv(name, value)
    tools: Any = object()
    metrics: Any = object()
    telemetry, before = set_up("chat-worker"), threading.active_count()
    async with AsyncExitStack() as stack:
        work = open_following(stack, WorkerSettings(), telemetry, tools, metrics, "openai")

    assert (work.tools, work.metrics) == (tools, metrics)
    assert isinstance(work.config, NoOpTelemetryConfig)
    assert threading.active_count() == before
