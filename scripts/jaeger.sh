#!/usr/bin/env bash
# Builds Jaeger once, from the Go registry, into a cache outside version control; says plainly why it cannot.
# Neither Debian nor the Python and npm registries have it. About 17 minutes on two busy cores, 120 MB.
set -euo pipefail
version=v1.76.0
folder=${XDG_CACHE_HOME:-$HOME/.cache}/eco2/jaeger
[ -x "$folder/jaeger" ] && exit 0

if ! command -v go >/dev/null; then
  echo "Jaeger is not here, and neither is Go (1.25 or newer), which builds it: https://go.dev/doc/install" >&2
  echo "The official image does as well: docker compose --profile observability up" >&2
  exit 1
fi

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cd "$build"
echo "Building Jaeger $version once; this takes a quarter of an hour on two cores." >&2
# `go install` refuses a module that replaces dependencies; as a dependency of an empty one it builds.
go mod init eco2-jaeger 2>/dev/null
if ! nice -n 19 go get "github.com/jaegertracing/jaeger/cmd/jaeger@$version" 2>go.log; then
  echo "The Go registry did not give out Jaeger $version:" >&2
  tail -n 3 go.log >&2
  exit 1
fi
mkdir -p "$folder"
nice -n 19 go build -o "$folder/jaeger.new" github.com/jaegertracing/jaeger/cmd/jaeger
mv "$folder/jaeger.new" "$folder/jaeger"
