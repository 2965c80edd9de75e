"""Kakao's refusals: `{errorType, message}`, and the older `{code, msg}`."""

from fastapi import Request

from eco2_sandbox.server import Server
from eco2_sandbox.vendors.behaviour import VendorFail
from eco2_sandbox.vendors.replies import Refusal, Reply

_BY_STATUS = {
    400: ("InvalidArgument", "query parameter required"),
    401: ("AccessDeniedError", "wrong appKey"),
    403: ("NotAuthorizedError", "App(eco2) disabled OPEN_MAP_AND_LOCAL service."),
    429: ("RequestThrottled", "API limit has been exceeded."),
}
_BY_CODE = {
    -2: (400, "parameter is invalid"),
    -10: (429, "API limit has been exceeded."),
    -401: (401, "this access token does not exist"),
}


def check_key(request: Request, server: Server) -> None:
    """Raise `Refusal` 401 without a REST key in its header, or with the wrong one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "KakaoAK" or not key.strip():
        raise Refusal(_reply(401, "AccessDeniedError", "cannot find Authorization : KakaoAK header"))
    if key.strip() == server.settings.wrong_key:
        raise Refusal(_reply(401, *_BY_STATUS[401]))


def bad_parameter(message: str) -> Refusal:
    """Return the refusal of a parameter."""
    return Refusal(_reply(400, "InvalidArgument", message))


def refuse(fail: VendorFail) -> Reply:
    """Return an asked-for failure; a code gets the older shape."""
    if fail.code is not None:
        status, words = _BY_CODE.get(int(fail.code), (400, "failed"))
        return Reply({"code": int(fail.code), "msg": words}, fail.status or status)
    status = fail.status or 500
    return _reply(status, *_BY_STATUS.get(status, ("InternalServerError", "internal server error")))


def _reply(status: int, kind: str, message: str) -> Reply:
    return Reply({"errorType": kind, "message": message}, status)
