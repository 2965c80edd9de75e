"""`python -m release`: make the API's reference, keep its document, check a version before it goes out."""

import argparse
import os
import sys

from release import LAST_RELEASED, REFERENCE
from release.check import check
from release.document import as_text, served
from release.reference import markdown

_COMMANDS = {
    "reference": "write docs/reference/api.md",
    "current": "say whether docs/reference/api.md is what would be written",
    "keep": "write docs/reference/openapi.json, which later versions are held against",
    "check": "hold this version to everything that a release needs",
}


def main() -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument(
        "command", choices=_COMMANDS, help="; ".join(f"{k}: {v}" for k, v in _COMMANDS.items())
    )
    parser.add_argument("--final", action="store_true", help="this very commit is to be tagged (check)")
    options = parser.parse_args()
    # A document needs nobody's database, and nobody needs to hear that the product started for it.
    os.environ |= {"DATABASE_URL": "memory:", "LOG_LEVEL": "WARNING"}
    document = served()
    match options.command:
        case "reference":
            REFERENCE.write_text(markdown(document), encoding="utf-8")
        case "current":
            if REFERENCE.read_text(encoding="utf-8") != markdown(document):
                print("docs/reference/api.md is old: make reference", file=sys.stderr)
                return 1
        case "keep":
            LAST_RELEASED.write_text(as_text(document), encoding="utf-8")
        case _:
            return 0 if check(document, is_final=options.final) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
