"""`make test-jaeger`: one question in several parts, and its trace as a real Jaeger tells it."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from eco2_devservers import JaegerServer

sys.path.insert(0, str(Path(__file__).parent.parent))

from observability.embedded import ProductServer, SandboxServer

QUESTION = "페트병 어떻게 버려? 그리고 서울 오늘 날씨 어때? 이코도 소개해줘"
SLOW_WEATHER_S = 3.0
IN_TIME_S = 30.0
BRANCHES = {"waste_rag", "weather", "character"}
SERVICES = {"chat-api", "chat-worker", "character"}


class Span:
    """A span of Jaeger's JSON."""

    def __init__(self, raw: dict[str, Any], processes: dict[str, Any]) -> None:
        self.id: str = raw["spanID"]
        self.name: str = raw["operationName"]
        self.service: str = processes[raw["processID"]]["serviceName"]
        # The consumer is linked to its parent as well: of the two Jaeger keeps the link.
        references = sorted(raw["references"], key=lambda reference: reference["refType"] != "CHILD_OF")
        parents = [ref["spanID"] for ref in references if ref["traceID"] == raw["traceID"]]
        self.parent: str | None = parents[0] if parents else None
        self.start_us: int = raw["startTime"]
        self.duration_us: int = raw["duration"]

    @property
    def end_us(self) -> int:
        """When it ended."""
        return self.start_us + self.duration_us


def ask(url: str) -> str:
    """Asks and reads to the end; gives the trace id that the API told."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        queued = client.post("/api/v1/chat", json={"message": QUESTION}).raise_for_status().json()
        events = client.get(queued["events_url"]).raise_for_status().text
    if "event: done" not in events:
        raise AssertionError(f"no answer: {events[-300:]}")
    return queued["trace_id"]


def spans_of(jaeger: JaegerServer, trace_id: str) -> list[Span]:
    """The trace, once it is whole: the consumer's span ends last and is exported in batches."""
    with httpx.Client(base_url=jaeger.url, timeout=10, trust_env=False) as client:
        deadline = time.monotonic() + IN_TIME_S
        while True:
            reply = client.get(f"/api/traces/{trace_id}")
            found = reply.json()["data"] if reply.status_code == 200 else []
            spans = [Span(raw, trace["processes"]) for trace in found for raw in trace["spans"]]
            if {span.service for span in spans} >= SERVICES and any(s.name == "process_chat" for s in spans):
                return spans
            if time.monotonic() > deadline:
                raise AssertionError(f"not whole after {IN_TIME_S:g} s: {sorted(s.name for s in spans)}")
            time.sleep(0.3)


def faults(spans: list[Span]) -> Iterator[str]:
    """What is wrong with the trace; nothing, when all is well."""
    known = {span.id for span in spans}
    roots = [span for span in spans if span.parent is None]
    if [root.name for root in roots] != ["POST /api/v1/chat"]:
        yield f"roots: {[root.name for root in roots]}"
    for orphan in (span for span in spans if span.parent is not None and span.parent not in known):
        yield f"an orphan: {orphan.service} {orphan.name}"
    branches = {span.name: span for span in spans if span.name in BRANCHES}
    if set(branches) != BRANCHES:
        yield f"branches: {sorted(branches)}"
        return
    slow = branches["weather"]
    for late in (branch for branch in branches.values() if branch.start_us >= slow.end_us):
        yield f"{late.name} begins only when weather has ended"
    if len({branch.parent for branch in branches.values()}) > 1:
        yield "the branches have several parents"
    if slow is not max(branches.values(), key=lambda span: span.duration_us):
        yield "the slow look-up is not the longest branch"


def tree(spans: list[Span]) -> Iterator[str]:
    """The spans, indented, with their milliseconds."""
    known = {span.id for span in spans}

    def below(parent: str | None, depth: int) -> Iterator[str]:
        children = [s for s in spans if (s.parent if s.parent in known else None) == parent]
        for span in sorted(children, key=lambda child: child.start_us):
            label = f"{'  ' * depth}{span.name}"
            yield f"{span.service:<12} {label:<58} {span.duration_us / 1000:>9.1f} ms"
            yield from below(span.id, depth + 1)

    return below(None, 0)


def main() -> int:
    """Asks with slow weather, prints the tree and what is wrong with it."""
    with JaegerServer() as jaeger, SandboxServer() as sandbox:
        # Jaeger takes traces only.
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_url, "OTEL_METRICS_EXPORTER": "none"}
        env["OTEL_BSP_SCHEDULE_DELAY"] = "500"
        with ProductServer(sandbox, **env) as product:
            sandbox.put("vendors/kma/behaviour", {"latency_ms": SLOW_WEATHER_S * 1000})
            trace_id = ask(product.url)
            spans = spans_of(jaeger, trace_id)
    print(f"trace {trace_id}: {len(spans)} spans of {len({s.service for s in spans})} services\n")
    print("\n".join(tree(spans)))
    slowest = max(
        (span for span in spans if span.name in BRANCHES), key=lambda span: span.duration_us, default=None
    )
    if slowest is not None:
        print(f"\nthe slowest node: {slowest.name}, {slowest.duration_us / 1e6:.1f} s")
    found = list(faults(spans))
    print("\n".join(found) or "one trace, no orphans, parallel branches under one parent")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
