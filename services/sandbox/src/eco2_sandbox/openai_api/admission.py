"""Decides whether a well-formed request is served, and how."""

from eco2_sandbox.behaviour import Behaviour, RequestKind
from eco2_sandbox.openai_api import errors
from eco2_sandbox.server import Server


def admit(server: Server, kind: RequestKind) -> Behaviour:
    """Return the behaviour this request meets; raises the `ApiError` that was asked for, if one was."""
    status = server.controls.take_failure(kind)
    if status is not None:
        tally = server.traffic.of(kind)
        tally.begin()
        tally.end("failed")
        raise errors.asked_for(status)
    return server.controls.in_force(kind)


def request_id(completion_id: str) -> str:
    """Return the `x-request-id` of a completion."""
    return "req_" + completion_id.rpartition("-")[2]
