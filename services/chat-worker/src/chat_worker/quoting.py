"""Text from users and guides as data inside a prompt: it cannot end its own quotation."""

from typing import Any

import orjson


def quoted(tag: str, value: Any) -> str:
    """JSON between `<tag>` lines, with every angle bracket inside escaped."""
    text = orjson.dumps(value).decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"<{tag}>\n{text}\n</{tag}>"
