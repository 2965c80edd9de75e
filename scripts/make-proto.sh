#!/usr/bin/env bash
# Makes the Python code of the gRPC interface from its .proto, beside it or under the folder that is given.
set -euo pipefail
cd "$(dirname "$0")/.."
source=libs/character-api/src
proto=eco2_character_api/v1/character.proto
out=${1:-$source}

mkdir -p "$out"
.venv/bin/python -m grpc_tools.protoc --proto_path="$source" \
  --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" "$proto"

# The compiler's style is not ours: the linter, the formatter and the type checker leave these files alone.
for made in "$out/${proto%.proto}"_pb2.py "$out/${proto%.proto}"_pb2.pyi "$out/${proto%.proto}"_pb2_grpc.py; do
  printf '%s\n' '# ruff: noqa' '# fmt: off' '# pyright: basic, reportAttributeAccessIssue=false' | cat - "$made" >"$made.new"
  mv "$made.new" "$made"
done
