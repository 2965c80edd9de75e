"""What goes out with a release, and what has to hold before it does."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs/reference/api.md"
LAST_RELEASED = ROOT / "docs/reference/openapi.json"
"""The OpenAPI document of the last release; before the first one, of the first to come."""
