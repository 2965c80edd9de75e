"""Where the OpenAI API is and how to authenticate there, by what langchain-openai makes of the settings."""

import asyncio
from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Address:
    """A base URL and the headers of every request to it."""

    base_url: str
    headers: dict[str, str]


class OpenAIAddress:
    """Found at the first need, in a thread: importing langchain-openai and the SDK takes half a second."""

    def __init__(self, model: str, api_key: SecretStr, base_url: str | None) -> None:
        self._told = (model, api_key, base_url)
        self._finding: asyncio.Task[Address] | None = None

    def begin(self) -> "asyncio.Task[Address]":
        """Begins to look, in a running loop; safe to repeat."""
        if self._finding is None:
            self._finding = asyncio.create_task(asyncio.to_thread(_find, *self._told), name="openai:address")
        return self._finding

    async def find(self) -> Address:
        """The address, the same at every call."""
        return await asyncio.shield(self.begin())


def _find(model: str, api_key: SecretStr, base_url: str | None) -> Address:
    from langchain_openai import ChatOpenAI

    client = ChatOpenAI(model=model, api_key=api_key, base_url=base_url).root_async_client
    told = {**client.default_headers, **client.auth_headers}
    headers = {name: value for name, value in told.items() if isinstance(value, str)}
    return Address(str(client.base_url), headers)
