"""Pictures that a conversation holds, kept for as long as the operator says."""

from typing import Protocol

from eco2_bus.pictures import Picture


class PictureStore(Protocol):
    """Where pictures lie; both methods may raise LogUnavailable."""

    async def put(self, picture: Picture) -> str:
        """Keeps a picture and gives its id."""
        ...

    async def get(self, picture_id: str) -> Picture:
        """A picture; raises PictureGone."""
        ...
