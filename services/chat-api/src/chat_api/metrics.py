"""The process's Prometheus metrics on `/metrics`."""

from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_fastapi_instrumentator import Instrumentator


def install(app: FastAPI, registry: CollectorRegistry) -> None:
    """Measures every request and serves the registry, with exemplars for those who ask for OpenMetrics."""
    Instrumentator(registry=registry, excluded_handlers=["/metrics", "/livez", "/readyz"]).instrument(app)

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=content_type)
