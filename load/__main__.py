"""`make load`: k6 against the embedded product, whose vendors are as slow as the service levels allow."""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from load.histograms import Buckets, buckets_of, quantiles_ms
from load.levels import BY_DESIGN, Row, Times, rows
from load.plot import svg
from observability.embedded import ProductServer, SandboxServer

OUT = Path("out") / "load"
SCRIPT = Path(__file__).with_name("chat.js")
LONG_S = 300
"""From here on a p99 is more than the slowest answer, and is held to its level."""
LEFT_OVER_S = 300
VENDORS_SHARE = 0.9
"""The profile draws the very levels: with all of that time taken by vendors, none would be left for us."""


def seconds(text: str) -> int:
    """`90s`, `7m` or `90`; raises ArgumentTypeError for anything else."""
    match = re.fullmatch(r"(\d{1,5})(s|m|)", text)
    if match is None or not (total := int(match[1]) * (60 if match[2] == "m" else 1)) >= 14:
        raise argparse.ArgumentTypeError("a duration such as 30s or 7m, of 14 s or more")
    return total


def run_k6(k6: str, url: str, total_s: int, users: int) -> int:
    """Runs the script; gives k6's code: 0, or 99 when a threshold was crossed."""
    settings = {"URL": url, "TOTAL_S": str(total_s), "USERS": str(users), "SUMMARY": str(OUT / "k6.json")}
    command = [k6, "run", "--quiet", "--no-usage-report", str(SCRIPT)]
    return subprocess.run(command, env=os.environ | settings, timeout=total_s + LEFT_OVER_S).returncode


def between(before: Buckets, after: Buckets) -> dict[str, tuple[int, Times]]:
    """The quantiles of each histogram of the product over the run."""
    told: dict[str, tuple[int, Times]] = {}
    for name, counted in after.items():
        count, (p50, p95, p99) = quantiles_ms(before[name], counted, (0.5, 0.95, 0.99))
        told[name] = (count, (p50, p95, p99))
    return told


def table(told: Sequence[Row], is_long: bool) -> str:
    """The figures beside their levels, one row a line."""
    lines = [f"{'':<24}{'n':>7}{'whole':>8}{'p50 ms':>18}{'p95 ms':>18}{'p99 ms':>18}"]
    for row in told:
        cells = [_cell(value, level) for value, level in zip(row.measured_ms, row.level_ms, strict=True)]
        missed = row.misses(is_long)
        mark = f"   above its level: {', '.join(missed)}" if missed else ""
        lines.append(f"{row.name:<24}{row.count:>7}{row.completed:>8.1%}{''.join(cells)}{mark}")
    notes = [f"{name}, {quantile}: {why}" for (name, quantile), why in BY_DESIGN.items()]
    return "\n".join([*lines, "", *notes])


def _cell(value: float, level: float | None) -> str:
    return f"{value:>9.1f} /{level:>6g}" if level is not None else f"{value:>9.1f}        "


def main() -> int:
    """Loads, prints and writes; 0 when everything was answered whole and within its level."""
    parser = argparse.ArgumentParser(prog="load", description=__doc__)
    parser.add_argument("--k6", required=True)
    parser.add_argument("--duration", type=seconds, default=420)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--profile", default="service-levels")
    given = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    is_long = given.duration >= LONG_S
    with SandboxServer() as sandbox, ProductServer(sandbox) as product:
        sandbox.put("profile", {"name": given.profile, "scale": VENDORS_SHARE})
        before = buckets_of(product.url)
        code = run_k6(given.k6, product.url, given.duration, given.users)
        measured = between(before, buckets_of(product.url))
    if code not in (0, 99):
        print(f"load: k6 ended with code {code}", file=sys.stderr)
        return 1
    told = rows(json.loads((OUT / "k6.json").read_text()), measured)
    title = f"{given.users} users for {given.duration} s, profile {given.profile}"
    results = {"title": title, "rows": [row.to_json() for row in told]}
    (OUT / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (OUT / "results.svg").write_text(svg(told, title))
    print(f"\n{title}; figure / level\n\n{table(told, is_long)}\n\n{OUT}/results.json, {OUT}/results.svg")
    return 1 if any(row.misses(is_long) or row.completed < 0.99 for row in told) else 0


if __name__ == "__main__":
    sys.exit(main())
