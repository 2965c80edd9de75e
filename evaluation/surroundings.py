"""The settings that an evaluation runs with, put in place before the product reads them."""

import os

from chat_worker.settings import WorkerSettings


def prepare() -> None:
    """Keeps the evaluation out of the user's database and log, and lets an address do for a key."""
    os.environ["DATABASE_URL"] = "memory:"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    settings = WorkerSettings()
    if settings.openai_base_url and not settings.openai_api_key.get_secret_value():
        # A local server asks for none, but only a key tells the product that a real model is meant.
        os.environ["OPENAI_API_KEY"] = "none-needed"
