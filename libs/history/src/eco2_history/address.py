"""Which database a URL of the settings means."""

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from eco2_history.errors import HistoryUnavailable


class Kind(StrEnum):
    """What keeps the turns."""

    MEMORY = "memory"
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Address(NamedTuple):
    """A database; `rest` is the path of a file, or a URL without its scheme, password included."""

    kind: Kind
    rest: str

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Reads `sqlite:///path`, `postgresql://...` or `memory:`; raises ValueError for anything else."""
        scheme, colon, rest = url.partition(":")
        if (scheme, rest) == ("memory", "") and colon:
            return cls(Kind.MEMORY, ":memory:")
        if scheme == "sqlite" and rest.startswith("///") and len(rest) > 3:
            return cls(Kind.SQLITE, rest[3:])
        if scheme == "postgresql" and rest.startswith("//"):
            return cls(Kind.POSTGRESQL, rest[2:])
        # The URL itself may hold a password.
        raise ValueError("DATABASE_URL must begin with sqlite:///, postgresql:// or memory:")

    @property
    def url(self) -> str:
        """The URL for SQLAlchemy without asyncio."""
        if self.kind is Kind.POSTGRESQL:
            return f"postgresql+psycopg://{self.rest}"
        return f"sqlite:///{self.rest}"

    @property
    def async_url(self) -> str:
        """The URL for SQLAlchemy with asyncio."""
        if self.kind is Kind.POSTGRESQL:
            return self.url
        return f"sqlite+aiosqlite:///{self.rest}"

    def make_folder(self) -> None:
        """Makes the folder of a database file; raises HistoryUnavailable where none can be made."""
        if self.kind is Kind.SQLITE:
            try:
                Path(self.rest).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise HistoryUnavailable(type(error).__name__) from None
