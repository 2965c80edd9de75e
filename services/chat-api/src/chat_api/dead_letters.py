"""`eco2 dead-letters`: the jobs that were given up, for an operator to look at, replay or discard.

Exit code 0: all that was asked is done; 1: some of it is not, and what is not stays where it was; 2: usage.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from eco2_bus.dead_letters import DeadLetter
from eco2_bus.log import LogUnavailable
from eco2_bus.queue import QueueUnavailable
from eco2_bus.rabbit_dead_letters import LIMIT, RabbitDeadLetters, dead_letters
from eco2_bus.rabbitmq import RabbitJobQueue
from eco2_bus.redis_pictures import RedisPictures
from eco2_bus.redis_streams import RedisEventLog
from eco2_history import HistoryUnavailable
from eco2_telemetry.setup import set_up

from chat_api.dead_letter_facts import content_of, facts_of, printable, table_of
from chat_api.deps import Services, turn_store
from chat_api.errors import ApiProblem
from chat_api.redis_claims import RedisClaims
from chat_api.replaying import NotReplayable, replay
from chat_api.settings import ApiSettings

OK, FAILED = 0, 1
LISTED = 100

_AWAY = (QueueUnavailable, LogUnavailable, HistoryUnavailable)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line."""
    return asyncio.run(run(arguments))


async def run(arguments: Sequence[str] | None = None) -> int:
    """Does what is asked and gives the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return await _run(options)
    except QueueUnavailable as error:
        print(f"dead-letters: RabbitMQ does not answer, or somebody else reads: {error}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="eco2 dead-letters", description="The jobs that were given up.")
    verbs = parser.add_subparsers(required=True, dest="verb", metavar="list | show | replay | discard")
    listing = verbs.add_parser("list", help="the oldest of them, without what was asked")
    listing.add_argument("--limit", type=int, default=LISTED, choices=range(1, LIMIT + 1), metavar="N")
    show = verbs.add_parser("show", help="one of them")
    show.add_argument("job_id", nargs=1)
    show.add_argument("--content", action="store_true", help="what was asked as well: it is a user's text")
    verbs.add_parser("replay", help="has them done after all, under new job ids where the old ones ended")
    verbs.add_parser("discard", help="removes them for good")
    for verb in ("replay", "discard"):
        which = verbs.choices[verb].add_mutually_exclusive_group(required=True)
        which.add_argument("job_id", nargs="*", default=[])
        which.add_argument("--all", action="store_true", help=f"all of them, {LIMIT} at a time")
    for one in verbs.choices.values():
        one.add_argument("--json", action="store_true", help="one JSON value on standard output")
    return parser


async def _run(options: argparse.Namespace) -> int:
    settings = ApiSettings()
    url = settings.amqp_url.get_secret_value()
    asked: list[str] = getattr(options, "job_id", [])
    limit = getattr(options, "limit", LIMIT)
    async with (
        _services(settings) as services,
        dead_letters(url, wanted=lambda one: not asked or one in asked, limit=limit) as letters,
    ):
        match options.verb:
            case "list":
                return await _list(services, letters, options.json)
            case "show":
                return await _show(services, letters, asked[0], options)
            case "replay":
                return await _each(letters, asked, options.json, lambda one: _replay(services, one))
            case _:
                return await _each(letters, asked, options.json, _discard)


async def _list(services: Services, letters: Sequence[DeadLetter], as_json: bool) -> int:
    facts = await asyncio.gather(*(facts_of(services.log, letter) for letter in letters))
    print(json.dumps(facts) if as_json else table_of(facts))
    return OK


async def _show(
    services: Services, letters: Sequence[DeadLetter], asked: str, options: argparse.Namespace
) -> int:
    if not letters:
        print(f"dead-letters: {printable(asked)} is none of them", file=sys.stderr)
        return FAILED
    for letter in letters:
        shown = await facts_of(services.log, letter)
        if options.content:
            shown |= content_of(letter)
        if options.json:
            print(json.dumps(shown))
        else:
            print("\n".join(f"{name:9} {printable(str(value))}" for name, value in shown.items()))
    return OK


async def _each(
    letters: Sequence[DeadLetter],
    asked: Sequence[str],
    as_json: bool,
    deal_with: Callable[[DeadLetter], Awaitable[dict[str, str]]],
) -> int:
    """One after the other; what fails is told, and stays."""
    done = [{"job_id": letter.job_id, **await _told(deal_with(letter))} for letter in letters]
    found = {letter.job_id for letter in letters}
    done += [{"job_id": job_id, "failed": "it is none of them"} for job_id in asked if job_id not in found]
    if as_json:
        print(json.dumps(done))
    else:
        for one in done:
            print(
                printable("  ".join([one["job_id"], *(f"{k}: {v}" for k, v in one.items() if k != "job_id")]))
            )
        print(f"{sum('failed' not in one for one in done)} of {len(done)} done")
    return FAILED if any("failed" in one for one in done) else OK


async def _told(dealing: Awaitable[dict[str, str]]) -> dict[str, str]:
    try:
        return await dealing
    except ApiProblem as problem:
        return {"failed": problem.detail}
    except NotReplayable as error:
        return {"failed": str(error)}
    except _AWAY as error:
        return {"failed": f"{type(error).__name__}: {error}"}


async def _replay(services: Services, letter: DeadLetter) -> dict[str, str]:
    with services.telemetry.tracer.start_as_current_span("replay dead letter"):
        replayed = await replay(services, letter)
    return {"replayed_as": replayed.job_id} if replayed.is_new else {"replayed": "it goes on"}


async def _discard(letter: DeadLetter) -> dict[str, str]:
    await letter.settle()
    return {"discarded": "for good"}


@asynccontextmanager
async def _services(settings: ApiSettings) -> AsyncGenerator[Services]:
    """As the API has them; nothing is connected before it is used."""
    redis_url, amqp_url = settings.redis_url.get_secret_value(), settings.amqp_url.get_secret_value()
    services = Services(
        settings,
        RabbitJobQueue(
            amqp_url,
            max_length=settings.queue_max_length,
            waiting_s=settings.input_wait_s,
            name="eco2-dead-letters",
        ),
        RedisEventLog(redis_url, times=settings.log_times),
        RedisClaims(redis_url),
        set_up("chat-api", log_level="ERROR"),
        turn_store(settings),
        RedisPictures(redis_url, kept_s=settings.picture_ttl_s, max_bytes=settings.pictures_max_bytes),
        RabbitDeadLetters(amqp_url),
    )
    async with AsyncExitStack() as stack:
        stack.callback(services.telemetry.shut_down)
        for part in (services.queue, services.log, services.claims, services.turns, services.pictures):
            stack.push_async_callback(part.close)
        yield services


if __name__ == "__main__":
    sys.exit(main())
