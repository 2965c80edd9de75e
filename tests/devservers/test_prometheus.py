from pathlib import Path

import httpx
import pytest
from eco2_devservers import PrometheusServer, ServerFailed

NO_TARGETS = "global: {scrape_interval: 1s}\n"


def answer_to(server: PrometheusServer, expr: str) -> list[str]:
    with httpx.Client(trust_env=False) as client:
        response = client.get(f"{server.url}/api/v1/query", params={"query": expr})
    return response.raise_for_status().json()["data"]["result"][1]


def test_it_answers_once_started_and_again_after_a_kill(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text(NO_TARGETS)
    with PrometheusServer(config) as server:
        assert answer_to(server, "scalar(vector(1) + 1)") == "2"
        server.kill()
        server.start()
        assert answer_to(server, "scalar(vector(1) + 2)") == "3"


def test_a_faulty_configuration_is_named(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text("scrape_sometimes: true\n")
    with pytest.raises(ServerFailed, match="scrape_sometimes"), PrometheusServer(config):
        pass
