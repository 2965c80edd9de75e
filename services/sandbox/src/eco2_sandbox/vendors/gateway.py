"""The rules that all services of data.go.kr share: keys, pages, envelopes, and errors in XML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from xml.sax.saxutils import escape

from fastapi import Request

from eco2_sandbox.server import Server
from eco2_sandbox.vendors.behaviour import ItemsShape, VendorBehaviour, VendorFail
from eco2_sandbox.vendors.replies import TEXT, XML, Refusal, Reply

CODES = {
    1: "APPLICATION_ERROR",
    2: "DB_ERROR",
    3: "NODATA_ERROR",
    4: "HTTP_ERROR",
    5: "SERVICETIMEOUT_ERROR",
    10: "INVALID_REQUEST_PARAMETER_ERROR",
    11: "NO_MANDATORY_REQUEST_PARAMETERS_ERROR",
    12: "NO_OPENAPI_SERVICE_ERROR",
    20: "SERVICE_ACCESS_DENIED_ERROR",
    21: "TEMPORARILY_DISABLE_THE_SERVICEKEY_ERROR",
    22: "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR",
    23: "LIMITED_NUMBER_OF_SERVICE_REQUESTS_PER_SECOND_EXCEEDS_ERROR",
    30: "SERVICE_KEY_IS_NOT_REGISTERED_ERROR",
    31: "DEADLINE_HAS_EXPIRED_ERROR",
    32: "UNREGISTERED_IP_ERROR",
    33: "UNSIGNED_CALL_ERROR",
    99: "UNKNOWN_ERROR",
}

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Family:
    """What differs between agencies: the JSON switch, page limits, and how items are wrapped."""

    switches: tuple[str, ...]
    most_rows: int
    shape: ItemsShape = "item_list"
    counts_as_text: bool = False
    empty_is_no_data: bool = False


@dataclass(frozen=True)
class Asked:
    """A request with its key checked and its page read."""

    params: Mapping[str, str]
    page: int
    rows: int
    wants_json: bool
    family: Family

    def filters(self, *names: str) -> dict[str, str]:
        """Return the named parameters that have a value."""
        return {name: self.params[name] for name in names if self.params.get(name)}


def read(request: Request, server: Server, family: Family) -> Asked:
    """Return the request as asked; raises `Refusal` for a bad key or page."""
    params = dict(request.query_params)
    check_key(params.get("serviceKey") or params.get("ServiceKey") or "", server.settings.wrong_key)
    asked = Asked(
        params=params,
        page=1,
        rows=10,
        wants_json=any(params.get(name, "").lower() == "json" for name in family.switches),
        family=family,
    )
    page, rows = (_count(asked, name, usual) for name, usual in (("pageNo", 1), ("numOfRows", 10)))
    return Asked(params, page, min(rows, family.most_rows), asked.wants_json, family)


def check_key(key: str, wrong_key: str) -> None:
    """Raise `Refusal` with code 30 without a key, for the wrong one, and for one that was encoded twice."""
    if not key.strip() or key == wrong_key or "%" in key:
        raise Refusal(gateway_error(30))


def refuse(fail: VendorFail) -> Reply:
    """Return an asked-for failure: a gateway's XML when a code is named, else a status with bare words."""
    if fail.code is not None or fail.status is None:
        return gateway_error(int(fail.code or 99), fail.status or 200)
    return Reply(f"{HTTPStatus(fail.status).phrase}\n", fail.status, TEXT)


def gateway_error(code: int, status: int = 200) -> Reply:
    """Return the gateway's own error, in XML whatever form was asked for."""
    words = CODES.get(code, CODES[99])
    return Reply(
        "<OpenAPI_ServiceResponse>\n<cmmMsgHeader>\n<errMsg>SERVICE ERROR</errMsg>\n"
        f"<returnAuthMsg>{words}</returnAuthMsg>\n<returnReasonCode>{code:02}</returnReasonCode>\n"
        "</cmmMsgHeader>\n</OpenAPI_ServiceResponse>",
        status,
        XML,
    )


def service_error(asked: Asked, code: int) -> Reply:
    """Return the error of the service behind the gateway, in the form that was asked for."""
    return _enveloped(asked, {"header": {"resultCode": f"{code:02}", "resultMsg": CODES[code]}}, wrapper=True)


def page_of(asked: Asked, found: Sequence[Item], behaviour: VendorBehaviour) -> Reply:
    """Return the asked-for page of the rows found."""
    if behaviour.no_data or (not found and asked.family.empty_is_no_data):
        return service_error(asked, 3)
    first = (asked.page - 1) * asked.rows
    items = [dict(item) for item in found[first : first + asked.rows]]
    shape = asked.family.shape if behaviour.items == "usual" else behaviour.items
    count = str if asked.family.counts_as_text else int
    body = {
        **({"dataType": "JSON"} if "dataType" in asked.family.switches else {}),
        "items": _shaped(items, shape if asked.wants_json else "item_list"),
        "pageNo": count(asked.page),
        "numOfRows": count(asked.rows),
        "totalCount": count(len(found)),
    }
    header = {"resultCode": "00", "resultMsg": "NORMAL_SERVICE"}
    return _enveloped(asked, {"header": header, "body": body}, wrapper=behaviour.wrapper)


def _count(asked: Asked, name: str, usual: int) -> int:
    text = asked.params.get(name) or str(usual)
    if not text.isdecimal() or not int(text):
        raise Refusal(service_error(asked, 10))
    return int(text)


def _shaped(items: list[dict[str, Any]], shape: ItemsShape) -> Any:
    match shape:
        case "list":
            return items
        case "list_of_item":
            return [{"item": item} for item in items]
        case "single":
            return {"item": items[0]} if items else ""
        case "empty_text":
            return ""
        case "empty_item":
            return {"item": {}}
        case "item_list" | "usual":
            return {"item": items} if items else ""


def _enveloped(asked: Asked, content: dict[str, Any], *, wrapper: bool) -> Reply:
    if asked.wants_json:
        return Reply({"response": content} if wrapper else content)
    return Reply('<?xml version="1.0" encoding="UTF-8"?>\n' + _xml("response", content), media_type=XML)


def _xml(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_xml(name, one) for one in cast(list[Any], value))
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value)
        return f"<{name}>{''.join(_xml(key, one) for key, one in fields.items())}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
