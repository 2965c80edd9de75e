"""Addresses that a browser can open without a header: with tickets in them, where those are needed."""

from collections.abc import Sequence

import orjson
from eco2_bus.events import LogEntry, Queued

from chat_api.auth.caller import Caller
from chat_api.auth.tickets import Tickets, events_scope, picture_scope

EVENTS = "/api/v1/chat/{job_id}/events"
PICTURES = "/api/v1/images/"


class Links:
    """Addresses for one caller. What is kept of a job never has a ticket: it is put in on the way out."""

    def __init__(self, caller: Caller, tickets: Tickets | None) -> None:
        self.caller = caller
        self._tickets = tickets

    def events(self, job_id: str) -> str:
        """Where a job's events are."""
        return self._with_ticket(EVENTS.format(job_id=job_id), events_scope(job_id))

    def picture(self, url: str) -> str:
        """A picture's address; one that is not ours stays as it is."""
        if not url.startswith(PICTURES):
            return url
        return self._with_ticket(url, picture_scope(url.removeprefix(PICTURES)))

    def queued(self, queued: Queued) -> Queued:
        """What a caller is told of a question that was taken."""
        return queued.model_copy(update={"events_url": self.events(queued.job_id)})

    def entries(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Entries of a log as the caller may see them."""
        return entries if self._tickets is None else [self._entry(entry) for entry in entries]

    def _entry(self, entry: LogEntry) -> LogEntry:
        match entry.event:
            case "queued":
                told = {**(kept := entry.json()), "events_url": self.events(kept["job_id"])}
            case "image":
                told = {**(kept := entry.json()), "url": self.picture(kept["url"])}
            case _:
                return entry
        return LogEntry(entry.id, entry.event, orjson.dumps(told), entry.at_ms)

    def _with_ticket(self, url: str, scope: str) -> str:
        return url if self._tickets is None else f"{url}?ticket={self._tickets.issue(scope, self.caller)}"
