import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from eco2_devservers import Server
from eco2_devservers.ports import reply_of

from tests import npm
from tests.docs.running import Examples

PACKAGES = (
    "ai@6.0.325",
    "openai@6.49.0",
    "@ai-sdk/react@3.0.328",
    "react@19.3.1",
    "react-test-renderer@19.3.1",
)


class Product(Server):
    """What `make run` starts, without keys."""

    name: ClassVar[str] = "Product"
    ready_within_s: ClassVar[float] = 90

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _prepare(self) -> None:
        """The product makes what it needs."""

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "all_in_one", "--port", str(self.port)]

    def _env(self) -> Mapping[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "OTEL_"))}
        return {**own, "DATABASE_URL": f"sqlite:///{self.folder}/eco2.sqlite"}

    def _is_ready(self) -> bool:
        return b"200 OK" in reply_of(self.port, b"GET /readyz HTTP/1.0\r\n\r\n")


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with Product() as product:
        yield product


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the npm packages that the guide names."""
    folder = tmp_path_factory.mktemp("npm")
    npm.install(folder, *PACKAGES)
    return folder


@pytest.fixture
def examples(product: Product, tmp_path: Path) -> Examples:
    """Runs examples against the product, in a folder with the picture that they name."""
    return Examples(product.url, tmp_path)
