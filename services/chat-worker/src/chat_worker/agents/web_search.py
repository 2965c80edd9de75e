"""The open web, when nothing closer knows."""

from chat_worker.agents.findings import found, not_found, passage, told
from chat_worker.domain import Finding, Language, Passage, Turn
from chat_worker.errors import NoData
from chat_worker.ports import Tools
from chat_worker.ports.web_search import SearchResult

_NONE: dict[Language, str] = {
    "ko": "웹에서도 찾지 못했어요.",
    "en": "A web search found nothing either.",
}
_FROM_THE_WEB: dict[Language, str] = {
    "ko": "웹에서 찾은 내용이라 지역의 공식 안내와 다를 수 있어요.",
    "en": "This comes from the web and may differ from your municipality's own rules.",
}


async def web_search(turn: Turn, tools: Tools) -> Finding:
    """The best hits, to be cited by address; raises a VendorError."""
    assert tools.web_search is not None
    try:
        results = await tools.web_search.search(turn.question[:200], turn.language)
    except NoData:
        return not_found("web_search", told(turn, _NONE))
    return found("web_search", [_passage(result) for result in results], told(turn, _FROM_THE_WEB))


def _passage(result: SearchResult) -> Passage:
    host = result.url.split("/")[2]
    return passage(result.title, result.text, host, url=result.url, revised=result.published)
