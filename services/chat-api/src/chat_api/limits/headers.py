"""What an answer says of the limits that it was counted for.

`RateLimit` and `RateLimit-Policy` as in draft-ietf-httpapi-ratelimit-headers since its version 08: a list
with one item for each limit, `q` what may be done within `w` seconds, `r` what is left of it, and `t` the
seconds until there is more.
"""

from collections.abc import Sequence

from chat_api.limits.rates import Standing

NAMES = ["RateLimit", "RateLimit-Policy"]


def headers_of(standings: Sequence[Standing]) -> dict[str, str]:
    """Both fields, or none where nothing is limited."""
    if not standings:
        return {}
    left = (f'"{one.name}";r={one.remaining};t={one.next_in_s}' for one in standings)
    policy = (f'"{one.name}";q={one.quota};w={one.window_s}' for one in standings)
    return dict(zip(NAMES, (", ".join(left), ", ".join(policy)), strict=True))
