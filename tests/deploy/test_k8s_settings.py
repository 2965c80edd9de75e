"""What a cluster's services are told, where it only makes sense together."""

import pytest
from chat_api.settings import ApiSettings
from chat_worker.telemetry.switches import LangSmithSwitches, Mode

from tests.deploy.rendered import config_of

OVERLAYS = ("dev", "prod")


def test_api_and_workers_are_told_the_same_length_of_the_queue() -> None:
    for overlay in OVERLAYS:
        lengths = {config_of(overlay, service)["QUEUE_MAX_LENGTH"] for service in ("chat-api", "chat-worker")}
        assert len(lengths) == 1


def test_a_rating_goes_where_the_runs_go() -> None:
    key = {"langchain_api_key": "key"}
    for overlay, is_sent in (("dev", True), ("prod", False)):
        told_api, told_worker = (
            {name.lower(): value for name, value in config_of(overlay, service).items()} | key
            for service in ("chat-api", "chat-worker")
        )
        assert ApiSettings.model_validate(told_api).sends_runs_to_langsmith is is_sent, overlay
        assert (LangSmithSwitches.model_validate(told_worker).mode is Mode.NATIVE) is is_sent, overlay


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_burst_has_more_places_than_go_ahead(overlay: str) -> None:
    config = config_of(overlay, "chat-api")
    assert int(config["LIMIT_LIVE_JOBS_PER_USER"]) >= 4 * int(config["FAIR_SHARE"])
    # One viewer for each of them.
    assert int(config["LIMIT_OPEN_STREAMS_PER_USER"]) >= int(config["LIMIT_LIVE_JOBS_PER_USER"])


def test_callers_are_told_apart_by_their_keys_and_not_by_an_address_that_a_node_may_hide() -> None:
    for overlay in OVERLAYS:
        config = config_of(overlay, "chat-api")
        assert "LIMIT_SUBMITS_PER_ADDRESS" not in config
        assert (config["AUTH_MODE"], config["LIMIT_SUBMITS_PER_USER"]) == ("api_key", "30/minute")
