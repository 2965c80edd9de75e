"""Finding a job for the one who asks."""

from eco2_bus.log import KeptAnswer, LogGone, LogSummary

from chat_api import errors
from chat_api.deps import Services


async def find_job(services: Services, job_id: str, caller: str) -> LogSummary | KeptAnswer:
    """The job's log, or its kept answer; raises `404` for unknown and for others' jobs alike."""
    if not _is_job_id(job_id):
        raise errors.unknown_job()
    try:
        summary = await services.log.summary(job_id)
    except LogGone:
        kept = await services.log.kept_answer(job_id)
        if kept is None or kept.owner != caller:
            raise errors.unknown_job() from None
        return kept
    if summary.head.owner != caller:
        raise errors.unknown_job()
    return summary


def _is_job_id(text: str) -> bool:
    return len(text) == 32 and all(character in "0123456789abcdef" for character in text)
