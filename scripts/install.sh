#!/usr/bin/env bash
# Makes .venv and installs the pinned packages and our own. Registries come from pip's and uv's own settings.
set -euo pipefail
cd "$(dirname "$0")/.."
venv_python=.venv/bin/python
uv_version=0.13.9

find_python() {
  local candidate
  # The distribution's build first: it is optimised, where one that was built by hand often is not (1.4x slower).
  for candidate in ${PYTHON_FOR_VENV:-} /usr/bin/python3.11 /usr/bin/python3.12 /usr/bin/python3.13 \
    python3.11 python3.12 python3.13 python3; do
    # A pyenv shim exists for versions that are not there: only running it tells.
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Python 3.11 or newer is missing. On Debian 12: apt-get install python3 python3-venv" >&2
  return 1
}

make_venv() {
  local python version
  python=$(find_python)
  version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
  if ! "$python" -c 'import venv, ensurepip; ensurepip.version()' 2>/dev/null; then
    # python3-venv serves Debian's own version only; each version has a package of its own as well.
    scripts/install-debian.sh "$version-venv"
  fi
  "$python" -m venv --clear .venv
}

with_uv() {
  local pip_index
  "$venv_python" -m pip --version >/dev/null 2>&1 || "$venv_python" -m ensurepip >/dev/null
  [ -x .venv/bin/uv ] || "$venv_python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version" || return 1
  # uv does not read pip's settings.
  pip_index=$("$venv_python" -m pip config get global.index-url 2>/dev/null || true)
  if [ -n "$pip_index" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    export UV_DEFAULT_INDEX="$pip_index"
  fi
  .venv/bin/uv pip install --quiet --python "$venv_python" --require-hashes -r requirements.lock &&
    .venv/bin/uv pip install --quiet --python "$venv_python" --no-deps "${ours[@]}"
}

with_pip() {
  "$venv_python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
  "$venv_python" -m pip install --quiet --disable-pip-version-check --no-deps "${ours[@]}"
}

ours=()
for project in libs/*/pyproject.toml services/*/pyproject.toml; do
  ours+=(-e "$(dirname "$project")")
done

"$venv_python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || make_venv
if ! with_uv; then
  echo "uv could not do it; trying pip, which takes longer" >&2
  with_pip
fi
echo "installed in .venv, with $("$venv_python" --version)"
