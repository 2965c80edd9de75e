"""The OpenAPI document as the product serves it with the settings of the environment and of `.env`."""

import asyncio
import json
from typing import Any

from all_in_one.product import open_product


def served() -> dict[str, Any]:
    """The document; starts the product for it."""
    return asyncio.run(_served())


async def _served() -> dict[str, Any]:
    async with open_product("127.0.0.1", 0) as product:
        app: Any = product.server.config.app
        return app.openapi()


def as_text(document: dict[str, Any]) -> str:
    """As it is kept: readable in a diff."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
