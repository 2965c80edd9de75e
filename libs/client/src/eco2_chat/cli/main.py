"""`eco2`: ask, chat, and see whether a server streams as it should."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

import httpx

from eco2_chat.cli.asking import FAILED, INTERRUPTED, OK, Asking, place
from eco2_chat.cli.doctor import Doctor
from eco2_chat.cli.screen import Screen
from eco2_chat.client import Client
from eco2_chat.errors import ConnectionLost, Eco2Error
from eco2_chat.patience import Patience
from eco2_chat.question import Question, picture

DEFAULT_URL = "http://127.0.0.1:8000"
COMMANDS = "eco2.commands"
"""The entry points by which a package beside this one brings a command: `main(arguments) -> exit code`."""
_BROUGHT_BY = {"dead-letters": "eco2-chat-api"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line."""
    told = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if told and (command := _brought(told[0])) is not None:
            return command.load()(told[1:])
        options = _parser().parse_args(told)
        return options.run(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left; what Python would still flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (Eco2Error, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        print(f"eco2: {error or type(error).__name__}", file=sys.stderr)
        if isinstance(error, ConnectionLost | httpx.ConnectError | ConnectionError):
            print(f"eco2: is a server there? ECO2_URL says where; without it, {DEFAULT_URL}", file=sys.stderr)
        return FAILED


def _brought(name: str) -> EntryPoint | None:
    """A command of another package; raises ValueError for one that is known and not there."""
    found = next(iter(entry_points(group=COMMANDS, name=name)), None)
    if found is None and name in _BROUGHT_BY:
        raise ValueError(f"{name} comes with the package {_BROUGHT_BY[name]}, which is not installed here")
    return found


def _parser() -> argparse.ArgumentParser:
    brought = ", ".join(sorted({*_BROUGHT_BY, *entry_points(group=COMMANDS).names}))
    parser = argparse.ArgumentParser(
        prog="eco2", description=__doc__, epilog=f"For operators, with the services installed: {brought}."
    )
    verbs = parser.add_subparsers(required=True, metavar="ask | chat | doctor")

    ask = verbs.add_parser("ask", help="ask one question; Ctrl-C cancels it")
    ask.add_argument("question", help="the question, or - for standard input")
    ask.add_argument("--image", metavar="FILE", help="a picture that goes with it")
    ask.add_argument("--location", type=place, metavar="LAT,LON", help="where you are")
    ask.set_defaults(run=_ask)

    chat = verbs.add_parser("chat", help="ask one question after another; Ctrl-C cancels, Ctrl-D leaves")
    chat.set_defaults(run=_chat)

    for verb in (ask, chat):
        verb.add_argument("--url", default=os.environ.get("ECO2_URL", DEFAULT_URL), help="or ECO2_URL")
        verb.add_argument("--session", metavar="ID", help="the conversation to go on with")
        verb.add_argument(
            "--progress", action=argparse.BooleanOptionalAction, help="stages on standard error"
        )

    doctor = verbs.add_parser("doctor", help="see whether streams come through a public address unharmed")
    doctor.add_argument("url", nargs="?", default=os.environ.get("ECO2_URL", DEFAULT_URL))
    doctor.add_argument("--quick", action="store_true", help="do not wait for a heartbeat")
    doctor.set_defaults(run=_doctor)
    return parser


def _client(options: argparse.Namespace) -> Client:
    return Client(options.url, api_key=os.environ.get("ECO2_API_KEY"), patience=Patience(call_s=10))


def _ask(options: argparse.Namespace) -> int:
    text = sys.stdin.read() if options.question == "-" else options.question
    image_url = None if options.image is None else picture(options.image)
    question = Question(text, options.session, image_url, options.location)
    with _client(options) as client:
        return Asking(client, Screen(shows_progress=options.progress)).run(question)


def _chat(options: argparse.Namespace) -> int:
    session_id = options.session
    with _client(options) as client:
        while True:
            try:
                text = input("> " if sys.stdin.isatty() else "").strip()
            except EOFError:
                return OK
            if text:
                screen = Screen(shows_progress=options.progress)
                asking = Asking(client, screen)
                try:
                    # What was cancelled just now may not have ended yet.
                    asking.run(Question(text, session_id, on_busy="interrupt"))
                except Eco2Error as error:
                    screen.note(str(error))
                session_id = asking.session_id or session_id


def _doctor(options: argparse.Namespace) -> int:
    with Doctor(options.url, api_key=os.environ.get("ECO2_API_KEY")) as doctor:
        is_well = True
        for finding in doctor.examine(waits_for_heartbeat=not options.quick):
            print(finding, flush=True)
            is_well = is_well and not finding.is_bad
    return OK if is_well else FAILED


if __name__ == "__main__":
    sys.exit(main())
