#!/bin/sh
# Puts one service and no more than it needs into /opt/eco2: docker/install.sh SERVICE, while its image is built.
# Every package from outside must match a hash of requirements.lock (or of build.lock, for what builds our wheels).
# Registries come from pip's own settings: its variables as build arguments, or the secret `pip`, a pip.conf.
set -eu
cd "$(dirname "$0")/.."
service=$1
build=/tmp/build
mkdir "$build"

python -m venv "$build/venv"
pip() { "$build/venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
needed() { "$build/venv/bin/python" docker/needed.py "$@"; }

needed pins >"$build/pins.txt"
needed requirements "$service" >"$build/wanted.txt"
pip install --dry-run --ignore-installed --report "$build/report.json" -c "$build/pins.txt" -r "$build/wanted.txt"
needed locked "$build/report.json" >"$build/needed.lock"

pip install --require-hashes -r docker/build.lock
pip wheel --no-deps --no-build-isolation --wheel-dir "$build/wheels" $(needed folders "$service")

python -m venv --without-pip /opt/eco2
pip --python /opt/eco2/bin/python install --no-compile --require-hashes -r "$build/needed.lock"
pip --python /opt/eco2/bin/python install --no-compile --no-deps "$build"/wheels/*.whl
# What a marker left out by mistake would be missed at the first start, or later.
pip --python /opt/eco2/bin/python check
# The root is read-only where this runs: what is not compiled now would be compiled at every start.
/opt/eco2/bin/python -m compileall -q -j 0 /opt/eco2/lib
rm -rf "$build"
