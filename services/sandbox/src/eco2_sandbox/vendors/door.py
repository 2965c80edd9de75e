"""The way every request to a stand-in vendor takes: refused, delayed, cut or served, and counted."""

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Send

from eco2_sandbox.delivery import Delivery, Work, hold, send_body, send_head
from eco2_sandbox.server import Server
from eco2_sandbox.traffic import Ending
from eco2_sandbox.vendors.behaviour import Vendor, VendorBehaviour, VendorFail
from eco2_sandbox.vendors.replies import Refusal, Reply

Make = Callable[[VendorBehaviour], Reply]
Refuse = Callable[[VendorFail], Reply]


def serve(server: Server, vendor: Vendor, make: Make, refuse: Refuse) -> Response:
    """Return the response to one request; `refuse` puts an asked-for failure into the vendor's shape."""
    behaviour = server.vendors.of(vendor)
    tally = server.traffic.vendors[vendor]
    if behaviour.hang:
        return Delivery(hold(), tally)
    reply, ending = _reply(server, vendor, make, refuse)
    latency_ms = server.pace.delay_ms(vendor) if behaviour.latency_ms is None else behaviour.latency_ms
    return Delivery(_sending(reply, behaviour, latency_ms, ending), tally)


def _reply(server: Server, vendor: Vendor, make: Make, refuse: Refuse) -> tuple[Reply, Ending]:
    fail = server.vendors.take_failure(vendor)
    if fail is not None:
        return refuse(fail), "failed"
    try:
        return make(server.vendors.of(vendor)), "completed"
    except Refusal as refusal:
        return refusal.reply, "failed"


def _sending(reply: Reply, behaviour: VendorBehaviour, latency_ms: float, ending: Ending) -> Work:
    body = reply.encoded(behaviour.renamed)[: behaviour.cut_after_bytes]
    is_broken = behaviour.break_after_bytes is not None
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", b"%d" % len(body)),
        # Weather and prices have no text that could say so.
        (b"x-sample-data", b"true"),
    ]

    async def send_reply(send: Send) -> Ending:
        await asyncio.sleep(latency_ms / 1000)
        # One byte more than will come: the client must see that the end is missing.
        head = [*headers[:1], (b"content-length", b"%d" % (len(body) + 1)), headers[2]]
        await send_head(send, head if is_broken else headers, reply.status)
        await send_body(send, body[: behaviour.break_after_bytes], is_last=not is_broken)
        return "broken" if is_broken else ending

    return send_reply
