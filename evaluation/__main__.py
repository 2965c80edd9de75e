"""`python -m evaluation`: how often the assistant understands, finds, says and admits what it should."""

import argparse
import sys
from collections.abc import Sequence

import uvloop
from all_in_one.product import CannotListen

from evaluation import report, targets
from evaluation.asking import AT_ONCE
from evaluation.run import Plan, Results, run
from evaluation.surroundings import prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the evaluation; 1 when a target that counts is missed."""
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every third held-out question, for CI")
    parser.add_argument("--strict", action="store_true", help="the targets also count for a real model")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N", help="questions at a time (20)")
    options = parser.parse_args(arguments)
    if options.at_once < 1:
        parser.error("--at-once must be at least 1")
    prepare()
    try:
        results = uvloop.run(run(Plan(options.quick, options.at_once)))
    except CannotListen as error:
        print(f"cannot start the product: {error}", file=sys.stderr)
        return 1
    return conclude(results, is_strict=options.strict)


def conclude(results: Results, *, is_strict: bool) -> int:
    """Prints the results; 1 when a target is missed by a stand-in, or, if strict, by any model."""
    judged = targets.judge(results.outcomes)
    is_enforced = results.uses_stand_ins or is_strict
    kind = "stand-in" if results.uses_stand_ins else "real model"
    print(f"model: {results.models} ({kind}); took {results.took_s:.0f} s")
    for line in report.tables(results.outcomes):
        print(line)
    print(f"\nanswers in English that cite Korean lines: {results.quoting}")
    for line in (*report.misses(results.outcomes), *report.verdicts(judged, is_enforced=is_enforced)):
        print(line)
    return int(is_enforced and not all(one.is_reached for one in judged))


if __name__ == "__main__":
    sys.exit(main())
