"""`python -m eco2_history upgrade`: the newest schema for the database of DATABASE_URL."""

import argparse
import os
import sys

from eco2_history.address import Address
from eco2_history.errors import HistoryUnavailable


def main() -> int:
    """Parses the command line; the URL comes from the environment, where no other user sees its password."""
    parser = argparse.ArgumentParser(prog="eco2_history", description=__doc__)
    parser.add_argument("command", choices=["upgrade"])
    parser.parse_args()
    try:
        address = Address.parse(os.environ.get("DATABASE_URL", ""))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    from sqlalchemy.exc import DBAPIError

    from eco2_history.migrate import upgrade
    from eco2_history.schema import HEAD

    try:
        upgrade(address)
    except DBAPIError as error:
        print(f"The database cannot be upgraded: {type(error.orig).__name__}", file=sys.stderr)
        return 1
    except HistoryUnavailable as error:
        print(f"The database cannot be upgraded: {error}", file=sys.stderr)
        return 1
    print(f"The {address.kind} database has schema {HEAD}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
