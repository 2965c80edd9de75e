"""`make observe`: the embedded product with Prometheus and, where it is built, Jaeger beside it."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from eco2_devservers import JaegerServer, PrometheusServer, ServerFailed, jaeger_program

sys.path.insert(0, str(Path(__file__).parent.parent))

from observability.local import Target, write_config

SCRAPE_S = 5
LEAVING_S = 15


@contextlib.contextmanager
def jaeger_if_built() -> Iterator[JaegerServer | None]:
    """Jaeger, or None and a word about it."""
    if not jaeger_program().exists():
        print(
            "Jaeger is not built here: scripts/jaeger.sh does it once; the rest starts without.", flush=True
        )
        yield None
        return
    with JaegerServer() as jaeger:
        os.setpriority(os.PRIO_PROCESS, jaeger.pid, 19)
        yield jaeger


def product(port: int, jaeger: JaegerServer | None) -> "subprocess.Popen[bytes]":
    """The product, which sends its traces to Jaeger."""
    traces: dict[str, str] = {}
    if jaeger is not None:
        # It takes traces only.
        traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_url, "OTEL_METRICS_EXPORTER": "none"}
    return subprocess.Popen(
        [sys.executable, "-m", "all_in_one", "--port", str(port)], env=os.environ | traces
    )


def links(port: int, prometheus: PrometheusServer, jaeger: JaegerServer | None) -> Iterator[str]:
    """What there is to open."""
    yield f"product     http://127.0.0.1:{port}"
    yield f"metrics     http://127.0.0.1:{port}/metrics"
    yield f"Prometheus  {prometheus.url}/graph?g0.expr=chat_stream_active"
    yield f"alerts      {prometheus.url}/alerts"
    if jaeger is not None:
        yield f"traces      {jaeger.url}/api/traces?service=chat-api&limit=5"
        yield "            (JSON: a Jaeger built from the registry has no page; the official image has)"
    yield "dashboards  grafana/dashboards/*.json, provisioned by docker compose --profile observability"


def main() -> int:
    """Runs until Ctrl-C or until the product ends."""
    parser = argparse.ArgumentParser(prog="observe", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    port: int = parser.parse_args().port
    # SIGTERM ends everything in order, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with tempfile.TemporaryDirectory(prefix="eco2-observe-") as folder, jaeger_if_built() as jaeger:
            config = write_config(Path(folder), [Target("chat-worker", f"127.0.0.1:{port}")], SCRAPE_S)
            with PrometheusServer(config) as prometheus:
                running = product(port, jaeger)
                print("\n".join(links(port, prometheus, jaeger)), flush=True)
                return wait_for(running)
    except ServerFailed as error:
        print(f"observe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def wait_for(running: "subprocess.Popen[bytes]") -> int:
    """Waits for the product, and passes a Ctrl-C on to it."""
    try:
        return running.wait()
    except KeyboardInterrupt:
        running.send_signal(signal.SIGINT)
        running.wait(LEAVING_S)
        return 0
    finally:
        running.kill()


if __name__ == "__main__":
    sys.exit(main())
