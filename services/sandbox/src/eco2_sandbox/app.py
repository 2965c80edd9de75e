"""Builds the sandbox as one ASGI application."""

from fastapi import FastAPI

from eco2_sandbox import control
from eco2_sandbox.openai_api import chat, embeddings, errors, models, responses
from eco2_sandbox.server import Clock, Server, utc_now
from eco2_sandbox.settings import Settings
from eco2_sandbox.vendors.mount import mount


def create_app(settings: Settings, now: Clock = utc_now) -> FastAPI:
    """Return a sandbox of its own: two apps share no behaviour and no counts."""
    app = FastAPI(title="Eco2 sandbox", docs_url=None, redoc_url=None)
    app.state.server = Server(settings, now)
    app.add_api_route("/livez", _live, methods=["GET"])
    for part in (control, chat, embeddings, models, responses):
        app.include_router(part.router)
    mount(app)
    errors.install(app)
    return app


async def _live() -> dict[str, str]:
    return {"status": "ok"}
