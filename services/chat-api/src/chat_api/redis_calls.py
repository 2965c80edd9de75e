"""Commands and scripts over the API's one Redis connection for requests; each may raise LogUnavailable."""

import hashlib
from functools import cache

from eco2_bus.log import LogUnavailable
from eco2_bus.resp import Argument, RedisLink, RedisRefused, Reply


async def run(link: RedisLink, script: str, keys: tuple[str, ...], *arguments: Argument) -> Reply:
    """Runs a Lua script, by its hash where Redis has it."""
    try:
        return await link.execute("EVALSHA", _sha(script), len(keys), *keys, *arguments)
    except RedisRefused as error:
        if not str(error).startswith("NOSCRIPT"):
            raise LogUnavailable("Redis refused") from None
    # The first call to this server, or after its scripts were flushed; EVAL keeps the script.
    return await ask(link, "EVAL", script, len(keys), *keys, *arguments)


async def ask(link: RedisLink, *command: Argument) -> Reply:
    """Sends a command and waits for its reply."""
    try:
        return await link.execute(*command)
    except RedisRefused:
        raise LogUnavailable("Redis refused") from None


@cache
def _sha(script: str) -> str:
    return hashlib.sha1(script.encode()).hexdigest()
