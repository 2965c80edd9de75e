"""Reading a chat completion stream raw: `data:` lines by orjson, no objects per token."""

import orjson

_PREFIX = b"data: "
_DONE = b"[DONE]"


class ContentReader:
    """Turns the bytes of a stream, cut anywhere, into the texts they carry."""

    def __init__(self) -> None:
        self._tail = b""
        self.is_done = False

    def feed(self, data: bytes) -> list[str]:
        """The texts that have become whole with these bytes."""
        *lines, self._tail = (self._tail + data).split(b"\n")
        texts = []
        for line in lines:
            if not line.startswith(_PREFIX):
                continue
            if line.startswith(_DONE, len(_PREFIX)):
                self.is_done = True
                continue
            choices = orjson.loads(line[len(_PREFIX) :])["choices"]
            if choices and (text := choices[0]["delta"].get("content")):
                texts.append(text)
        return texts
