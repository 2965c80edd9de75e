import os
import socket

import pytest
from eco2_devservers import MissingProgram, free_port, missing_programs


def test_what_is_missing_is_named_with_its_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_programs() == []
    monkeypatch.setenv("PATH", os.devnull)
    assert MissingProgram("redis-server", "redis-server") in missing_programs()


def test_a_free_port_is_given_once_and_can_be_listened_on() -> None:
    ports = {free_port() for _ in range(50)}
    assert len(ports) == 50
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()
