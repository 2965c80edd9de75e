"""A child process in a session of its own, known to the guardian before its program begins."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from eco2_devservers import guard
from eco2_devservers.process_tree import Kin, family, identify, kill_all

# The shell waits for our word, then becomes the program: its pid is held before anything can outlive us.
_GATE = 'read -r _ && exec "$@" </dev/null'


class OwnedProcess:
    """One program started by us, with its output appended to a log file."""

    def __init__(self, command: Sequence[str], *, log: Path, folder: Path, env: Mapping[str, str]) -> None:
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                ["/bin/sh", "-c", _GATE, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(env),
                start_new_session=True,
            )
        self.pid = self._popen.pid
        self._kin = identify(self.pid)
        guard.hold(self._kin)
        assert self._popen.stdin is not None
        self._popen.stdin.write(b"\n")
        self._popen.stdin.close()

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        return self._popen.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the process itself, not to what is below it."""
        self._popen.send_signal(number)

    def stop(self, number: int, within_s: float) -> None:
        """Ask by signal, wait, then kill what is left of the process and everything below it."""
        members = family(self._kin)
        self.signal(signal.SIGCONT)
        self.signal(number)
        try:
            self._popen.wait(within_s)
        except subprocess.TimeoutExpired:
            members = family(self._kin)
        self._end(members)

    def kill(self) -> None:
        """Kill the process and everything below it at once, as a crash would."""
        self._end(family(self._kin))

    def _end(self, members: Sequence[Kin]) -> None:
        self._popen.kill()
        self._popen.wait()
        kill_all(members)
        guard.release(self._kin)
