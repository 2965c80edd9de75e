"""Version 1 of the interface: `character.proto`, and what scripts/make-proto.sh makes of it."""
