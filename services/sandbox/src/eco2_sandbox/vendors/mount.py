"""Every stand-in vendor, under the name of its host."""

from fastapi import FastAPI

from eco2_sandbox.vendors import keco, mois, prices, standard_data, tavily, wrong_address
from eco2_sandbox.vendors.kakao import routes as kakao
from eco2_sandbox.vendors.kma import routes as kma


def mount(app: FastAPI) -> None:
    """Add the vendors to the app; the address that fits nothing else comes last."""
    for part in (kakao, kma, mois, standard_data, keco, prices, tavily, wrong_address):
        app.include_router(part.router)
