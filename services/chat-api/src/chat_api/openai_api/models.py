"""The one model that this API offers."""

from typing import Any

from chat_api.errors import ApiProblem

MODEL = "eco2-chat"
CREATED_S = 1_764_000_000


def described() -> dict[str, Any]:
    """The model as the API's list has it."""
    return {"id": MODEL, "object": "model", "created": CREATED_S, "owned_by": "eco2"}


def check_known(name: str) -> None:
    """Raises `404` for the name of any other model."""
    if name != MODEL:
        raise ApiProblem(404, "model_not_found", "No such model", f"The only model here is `{MODEL}`.")
