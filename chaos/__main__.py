"""`python -m chaos`: break the product for minutes, and tell what became of every job."""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import time
from typing import Any

import orjson
from eco2_devservers import ServerFailed

from chaos.drill import Drill
from chaos.ledger import Asked
from chaos.release import ROOT, laid_out, short_name
from chaos.schedule import BRIEF_UNTIL_MINUTES, faults_for
from chaos.table import account_of, account_table, recovery_table, summed_up
from chaos.verdict import Verdict
from chaos.waiting import StageFailed

OUT = ROOT / "out" / "chaos"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long to break things (5)")
    parser.add_argument("--seed", type=int, help="of the order of faults and of what users do (drawn)")
    parser.add_argument("--previous", default="HEAD~1", help="the commit of the rolling restart (HEAD~1)")
    return parser.parse_args()


async def _run(drill: Drill) -> None:
    loop, run = asyncio.get_running_loop(), asyncio.current_task()
    assert run is not None
    # As Ctrl-C does: every `with` ends, and so every process that was started.
    loop.add_signal_handler(signal.SIGTERM, run.cancel)
    broken: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: broken.append(context))
    await drill.run()
    if broken:
        raise RuntimeError(f"the driver itself broke: {broken[0]}") from broken[0].get("exception")


def _report(drill: Drill) -> tuple[bool, str]:
    """Print both tables and keep what is wrong; gives whether the run fails, and the verdict in words."""
    account = account_of(drill.ledger, drill.verdicts)
    wanted = [fault.name for fault in faults_for(drill.minutes)]
    missed = sorted(set(wanted) - {one.fault.name for one in drill.happened})
    print(f"\n{account_table(account)}\n\n{recovery_table(drill.happened, wanted, drill.ledger)}\n")
    print("answers:", ", ".join(f"{what}: {n}" for what, n in sorted(drill.ledger.replies.items())))
    _keep_violations(drill)
    return summed_up(account, missed, drill.minutes)


def _keep_violations(drill: Drill) -> None:
    wrong = [(job, verdict) for job, verdict in drill.verdicts if not verdict.is_clean]
    path = drill.folder / "violations.jsonl"
    path.write_bytes(b"".join(orjson.dumps(_violation(job, verdict)) + b"\n" for job, verdict in wrong))
    for job, verdict in wrong[:20]:
        print(f"VIOLATION job {job.job_id}: {vars(verdict)}")
    print(f"{len(wrong)} violations; what the viewers saw, and all logs: {drill.folder.relative_to(ROOT)}")


def _violation(job: Asked, verdict: Verdict) -> dict[str, Any]:
    views = {view.name: {"events": view.events, "taken_back": view.taken_back} for view in job.views}
    about = {"question": job.question.message, "job_ids": job.job_ids, "status": job.status}
    return {**about, "verdict": vars(verdict), "views": views}


def main() -> int:
    """Run; the exit code is not 0 when anything was lost or doubled, or too little was done."""
    options = _options()
    seed = options.seed if options.seed is not None else random.randrange(1_000_000)
    folder = OUT / f"seed-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"seed {seed}, {options.minutes:g} minutes, {cores} cores, load {load:.1f}", flush=True)
    began = time.monotonic()
    with laid_out(options.previous) as previous:
        name = "not in this clone" if previous is None else short_name(options.previous)
        print(f"commit {short_name('HEAD')}, the one before: {name}", flush=True)
        if previous is None and options.minutes >= BRIEF_UNTIL_MINUTES:
            print("this clone has no earlier commit to restart with: fetch one, or run a shorter drill")
            return 2
        drill = Drill(seed, options.minutes, folder, previous)
        try:
            asyncio.run(_run(drill))
        except (KeyboardInterrupt, asyncio.CancelledError):
            print("interrupted; everything has been stopped")
            return 130
        except (StageFailed, ServerFailed) as error:
            print(f"seed {seed}: FAILED, {error}")
            return 1
    has_failed, verdict = _report(drill)
    print(f"seed {seed}, {time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}: {verdict}")
    return int(has_failed)


if __name__ == "__main__":
    sys.exit(main())
