"""The list of models."""

from fastapi import APIRouter, Request

from eco2_sandbox.openai_api import errors
from eco2_sandbox.openai_api.checks import check_key
from eco2_sandbox.server import ServerDep

router = APIRouter(prefix="/v1/models", tags=["openai"])

# A fixed day: the list must not change between two runs.
_CREATED = 1_767_225_600


def _card(model: str) -> dict[str, str | int]:
    return {"id": model, "object": "model", "created": _CREATED, "owned_by": "eco2-sandbox"}


@router.get("")
async def list_models(request: Request, server: ServerDep) -> dict[str, object]:
    """Return the names offered; any other name is served too, except the one said to be missing."""
    check_key(request)
    names = (server.settings.chat_model, server.settings.embedding_model)
    return {"object": "list", "data": [_card(name) for name in names]}


@router.get("/{model}")
async def show_model(model: str, request: Request, server: ServerDep) -> dict[str, str | int]:
    """Return one model's card."""
    check_key(request)
    if model == server.settings.missing_model:
        raise errors.no_model(model)
    return _card(model)
