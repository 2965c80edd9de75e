"""A `response` object and its output: a drawn picture, or words."""

import base64
import hashlib
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from eco2_sandbox.brain.pieces import count_tokens
from eco2_sandbox.openai_api.response_requests import ImageTool

Output = dict[str, Any]
_numbers = count(1)


def new_id(kind: str) -> str:
    """Return an id such as `resp_...` that no other object of this process has."""
    return f"{kind}_" + hashlib.blake2b(b"%d" % next(_numbers), digest_size=24).hexdigest()


def words(text: str) -> Output:
    """Return a message of the assistant."""
    content: Output = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    message: Output = {"type": "message", "status": "completed", "role": "assistant", "content": [content]}
    return {"id": new_id("msg"), **message}


def picture(tool: ImageTool, png: bytes, wish: str) -> Output:
    """Return a finished call of the image tool; whatever format is asked for, a PNG is drawn and told."""
    return {
        "id": new_id("ig"),
        "type": "image_generation_call",
        "status": "completed",
        "background": "opaque",
        "output_format": "png",
        "quality": "medium" if tool.quality == "auto" else tool.quality,
        "result": base64.b64encode(png).decode(),
        "revised_prompt": wish,
        "size": "1024x1024" if tool.size == "auto" else tool.size,
    }


def failed_picture() -> Output:
    """Return a call of the image tool that came to nothing."""
    return {"id": new_id("ig"), "type": "image_generation_call", "status": "failed", "result": None}


@dataclass(frozen=True)
class ResponseObject:
    """What one request is answered with."""

    model: str
    output: list[Output]
    asked: str
    id: str = field(default_factory=lambda: new_id("resp"))
    created_at: int = field(default_factory=lambda: int(time.time()))

    def as_object(self, status: str = "completed") -> dict[str, Any]:
        """Return the object; before it is completed it has neither output nor usage."""
        is_done = status == "completed"
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": self.model,
            "output": self.output if is_done else [],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": self._usage() if is_done else None,
        }

    def _usage(self) -> dict[str, Any]:
        said = "".join(part["text"] for one in self.output for part in one.get("content", []))
        inputs, outputs = count_tokens(self.asked), count_tokens(said)
        return {
            "input_tokens": inputs,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": outputs,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": inputs + outputs,
        }
