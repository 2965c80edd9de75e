"""What the character service and its clients agree on: the interface, and the size of a question."""

MAX_WORDS_CHARS = 100
"""A longer name or material is refused with INVALID_ARGUMENT."""

SERVICE_NAME = "eco2.character.v1.CharacterService"
"""As health checks and reflection call it."""
