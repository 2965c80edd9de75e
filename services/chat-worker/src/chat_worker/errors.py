"""What can go wrong while answering, and whether another try may help."""

from eco2_bus.events import Problem


class AnswerError(Exception):
    """Ends the job with an `error` event: another attempt would end the same way."""

    status = 500
    code = "internal_error"
    title = "Internal error"
    detail = "Something went wrong on our side."

    def problem(self, trace_id: str) -> Problem:
        """What the user is told."""
        return Problem(
            title=self.title, status=self.status, detail=self.detail, code=self.code, trace_id=trace_id
        )


class ModelRejected(AnswerError):
    """The model's server refuses our credentials or our request."""

    status = 502
    code = "model_rejected"
    title = "Model refused the request"
    detail = "The language model did not accept the request. The operator has to look at the settings."


class AnswerRefused(AnswerError):
    """The model declines to answer this question."""

    status = 422
    code = "answer_refused"
    title = "Answer refused"
    detail = "The language model declined to answer this question. Try to put it differently."


class DeadlineExceeded(AnswerError):
    """The job took longer than it may."""

    status = 504
    code = "deadline_exceeded"
    title = "Took too long"
    detail = "The answer took too long and was stopped. Please ask again."


class BudgetExceeded(AnswerError):
    """The job's calls to the model have taken as much as they may."""

    status = 422
    code = "budget_exceeded"
    title = "Too much work"
    detail = "Answering this would take more than one question may. Please ask for less at a time."


class Poisoned(AnswerError):
    """Every attempt at the job has failed."""

    status = 500
    code = "attempts_exhausted"
    title = "Could not be answered"
    detail = "The question could not be answered after several attempts. Please try again later."


class UnreadableJob(AnswerError):
    """The job's message cannot be read."""

    status = 500
    code = "unreadable_job"
    title = "Could not be read"
    detail = "The question could not be read by this version of the service."


class UnsupportedSchema(AnswerError):
    """The job is of a later version, and no worker of that version came."""

    status = 503
    code = "unsupported_schema"
    title = "Could not be read"
    detail = "The question needs a newer version of the service, which is not there yet. Please ask again."


class Expired(AnswerError):
    """Nobody began the job for so long that its user will have gone."""

    status = 503
    code = "expired"
    title = "Waited too long"
    detail = "The question waited too long for its turn and was not answered. Please ask again."


class ModelUnavailable(Exception):
    """The model's server is down, overloaded, or broke off: the next attempt may succeed."""


class VendorError(Exception):
    """An outside service could not help; its text never holds a key, and is for logs, not for users."""


class AuthError(VendorError):
    """Our key is missing, unknown, expired or not allowed: an operator has to act."""


class QuotaExceeded(VendorError):
    """The quota is used up: no use before it is renewed."""


class NoData(VendorError):
    """A normal empty result."""


class BadRequest(VendorError):
    """The service does not understand what we asked: ours to mend."""


class Transient(VendorError):
    """Down, slow or overloaded: another try may succeed."""


class SchemaDrift(VendorError):
    """A reply that fits none of the known shapes."""
