"""`python -m evaluation`: how often the assistant understands, finds, says and admits what it should."""

import argparse
import sys
from collections.abc import Sequence

import uvloop
from all_in_one.product import CannotListen

from evaluation import report, targets
from evaluation.asking import AT_ONCE
from evaluation.run import PARTS, Interrupted, Plan, Results, run
from evaluation.surroundings import prepare

QUICK_STEP = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the evaluation; 1 when a target that counts is missed."""
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every second held-out question, for CI")
    parser.add_argument("--part", choices=PARTS, help="`tuning` hides the misses that only measure")
    parser.add_argument("--strict", action="store_true", help="the targets also count for a real model")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N", help="questions at a time (20)")
    options = parser.parse_args(arguments)
    if options.at_once < 1:
        parser.error("--at-once must be at least 1")
    parts = (options.part,) if options.part else PARTS[-1:] if options.quick else PARTS
    prepare()
    try:
        results = uvloop.run(run(Plan(parts, QUICK_STEP if options.quick else 1, options.at_once)))
    except CannotListen as error:
        print(f"cannot start the product: {error}", file=sys.stderr)
        return 1
    except Interrupted:
        print("interrupted", file=sys.stderr)
        return 130
    return conclude(results, is_strict=options.strict)


def conclude(results: Results, *, is_strict: bool) -> int:
    """Prints the results; 1 when a target is missed by a stand-in, or, if strict, by any model."""
    kind = "stand-in" if results.uses_stand_ins else "real model"
    print(f"model: {results.models} ({kind}); took {results.took_s:.0f} s")
    print("\n".join((*report.tables(results.outcomes), *report.misses(results.outcomes))))
    print(f"\nanswers in English that cite lines in Korean: {results.quoting}")
    if not any(outcome.part == "held_out" for outcome in results.outcomes):
        print("no targets: they are for the held-out part")
        return 0
    judged, counts = targets.judge(results.outcomes), results.uses_stand_ins or is_strict
    print("\n".join(report.verdicts(judged, is_enforced=counts)))
    return int(counts and not all(one.is_reached for one in judged))


if __name__ == "__main__":
    sys.exit(main())
