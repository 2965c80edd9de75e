"""One call, and the standard variables decide the rest."""

import json
import logging
import sys
import types
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from eco2_telemetry import logs
from eco2_telemetry.setup import Telemetry, set_up

from tests.telemetry.programs import run
from tests.telemetry.receiver import Receiver


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def made() -> Iterator[list[Telemetry]]:
    """Telemetry to be shut down."""
    made: list[Telemetry] = []
    yield made
    for telemetry in made:
        telemetry.shut_down()


def test_a_span_says_who_made_it(
    receiver: Receiver, exporting: pytest.MonkeyPatch, made: list[Telemetry]
) -> None:
    exporting.setenv("ENVIRONMENT", "staging")
    exporting.setenv("OTEL_SERVICE_NAME", "not this one")
    made.append(set_up("chat-worker"))

    made[0].tracer.start_span("x").end()

    receiver.wait(lambda: receiver.spans)
    who = receiver.spans[0].resource
    assert who["service.name"] == "chat-worker"
    assert who["service.namespace"] == "eco2"
    assert who["service.version"] == version("eco2-chat-worker")
    assert who["deployment.environment.name"] == "staging"
    assert len(who["service.instance.id"]) == 36


def test_an_operator_says_it_better(
    receiver: Receiver, exporting: pytest.MonkeyPatch, made: list[Telemetry]
) -> None:
    told = "service.instance.id=pod-7,deployment.environment.name=blue,service.version=9"
    exporting.setenv("OTEL_RESOURCE_ATTRIBUTES", told)
    made.append(set_up("somebody-elses"))

    made[0].tracer.start_span("x").end()

    receiver.wait(lambda: receiver.spans)
    who = receiver.spans[0].resource
    assert (who["service.instance.id"], who["deployment.environment.name"]) == ("pod-7", "blue")
    assert who["service.version"] == "9"


def test_services_of_one_process_share_one_connection_and_keep_their_names(
    receiver: Receiver, exporting: pytest.MonkeyPatch, made: list[Telemetry]
) -> None:
    exporting.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    made += [set_up("a"), set_up("b"), set_up("c")]
    for telemetry in made:
        telemetry.tracer.start_span("x").end()

    made[0].shut_down()
    made[0].shut_down()
    made[1].shut_down()
    assert receiver.requests == 0
    made[2].shut_down()

    assert sorted(span.service for span in receiver.spans) == ["a", "b", "c"]
    assert receiver.requests == 1


@pytest.mark.parametrize(
    "switch",
    [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}],
)
def test_telemetry_can_be_switched_off(
    receiver: Receiver, exporting: pytest.MonkeyPatch, switch: dict[str, str]
) -> None:
    for name, value in switch.items():
        exporting.setenv(name, value)
    telemetry = set_up("off")

    with telemetry.tracer.start_as_current_span("x") as span:
        telemetry.meter.create_histogram("h").record(1)
        assert not span.is_recording()
    telemetry.shut_down()

    assert receiver.requests == 0


def test_the_standard_sampler_is_heeded(receiver: Receiver, exporting: pytest.MonkeyPatch) -> None:
    exporting.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    exporting.setenv("OTEL_TRACES_SAMPLER_ARG", "0.0")
    telemetry = set_up("sampled")

    telemetry.tracer.start_span("x").end()
    telemetry.shut_down()

    assert receiver.spans == []


def test_an_endpoint_of_one_signal_is_for_that_one_alone(
    receiver: Receiver, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{receiver.url}/v1/traces")
    telemetry = set_up("traces-only")

    telemetry.tracer.start_span("x").end()
    telemetry.meter.create_histogram("h").record(1)
    telemetry.shut_down()

    assert [span.name for span in receiver.spans] == ["x"]
    assert receiver.points == []


def test_metrics_go_out_by_otlp(receiver: Receiver, exporting: pytest.MonkeyPatch) -> None:
    telemetry = set_up("measured")

    telemetry.meter.create_histogram("h", "s").record(2, {"a": "b"})
    telemetry.shut_down()

    assert [(p.service, p.metric, p.sum, p.labels) for p in receiver.points[:1]] == [
        ("measured", "h", 2, {"a": "b"})
    ]


def test_without_an_endpoint_every_request_still_has_a_trace_id(environment: pytest.MonkeyPatch) -> None:
    telemetry = set_up("quiet")

    with telemetry.tracer.start_as_current_span("x") as span:
        assert span.get_span_context().trace_id
        assert not span.is_recording()


def test_grpc_is_spoken_where_its_exporter_is_installed(exporting: pytest.MonkeyPatch) -> None:
    class Spoken(Exception):
        pass

    def exporter() -> None:
        raise Spoken

    module: Any = types.ModuleType("trace_exporter")
    module.OTLPSpanExporter = exporter
    exporting.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc", types.ModuleType("grpc"))
    exporting.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc.trace_exporter", module)
    exporting.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    with pytest.raises(Spoken):
        set_up("over-grpc")


@pytest.mark.parametrize("protocol", ["grpc", "http/json"])
def test_a_protocol_that_is_not_there_is_said_and_stops_nobody(
    exporting: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, protocol: str
) -> None:
    exporting.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    exporting.setattr("eco2_telemetry.setup.set_up_logs", lambda level: None)

    telemetry = set_up("odd")

    assert not telemetry.tracer.start_span("x").is_recording()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_nothing_is_imported_that_nobody_needs(environment: pytest.MonkeyPatch) -> None:
    script = (
        "import sys; from eco2_telemetry.setup import set_up\n"
        "t = set_up('x'); t.tracer; t.meter; t.shut_down()\n"
        "print([name for name in sys.modules if name.startswith(('requests', 'urllib3', 'grpc', "
        "'opentelemetry.exporter', 'opentelemetry.proto', 'opentelemetry.sdk.metrics', 'google.protobuf'))])"
    )

    assert run(script).strip() == "[]"


def test_a_log_line_names_its_trace_and_its_job(environment: pytest.MonkeyPatch) -> None:
    telemetry = set_up("logging")
    token = logs.job_id.set("0123")
    record = logging.LogRecord("chat", logging.INFO, "", 0, "hello %s", ("you",), None)

    with telemetry.tracer.start_as_current_span("x") as span:
        line = json.loads(logs.JsonFormatter().format(record))
    logs.job_id.reset(token)
    outside = json.loads(logs.JsonFormatter().format(record))

    assert line["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    assert (line["job_id"], line["message"]) == ("0123", "hello you")
    assert not {"trace_id", "job_id"} & outside.keys()


def test_a_collector_that_is_away_is_complained_of_once_a_minute() -> None:
    seldom = logs.SeldomFromExporters()
    complaint = logging.LogRecord("opentelemetry.exporter.x", logging.ERROR, "", 0, "Failed %s", ("a",), None)
    other = logging.LogRecord("chat", logging.ERROR, "", 0, "Failed %s", ("a",), None)

    assert [seldom.filter(complaint), seldom.filter(complaint)] == [True, False]
    assert [seldom.filter(other), seldom.filter(other)] == [True, True]
    assert logs.SeldomFromExporters(pause_s=0).filter(complaint)
