"""Folds the spellings of chats into the ones that the word tables have."""

import re

_NEXT = r"(?![가-힣])"
# Whatever is well spelt stays as it is: each pattern is a slip, or a way to type what people say.
_FOLDS: tuple[tuple[str, str], ...] = (
    (r"어딧|어딨", "어디 있"),
    (r"잇(?=[어나음냐지을는는니는던다])", "있"),
    (r"있는는", "있는"),
    (r"업(?=[어나음냐]요?" + _NEXT + ")", "없"),
    (r"(?<=수거)햄|(?<=수거\s)햄", "함"),
    (r"시새", "시세"),
    (r"[캐케]릭터|캐릭(?!터)|케릭(?!터)|캐랙터", "캐릭터"),
    (r"스티카", "스티커"),
    (r"날시", "날씨"),
    (r"밧데리|빳데리|배터리", "배터리"),
    (r"메트리스|매트래스", "매트리스"),
    (r"쓰래기", "쓰레기"),
    (r"알미늄|알류미늄", "알루미늄"),
    (r"(?<![가-힣])낼(?=[도은]?(?:\s|[?!.,]|$))(?!\s?(?:거|것|게|까|때|수\s|지|돈|건))", "내일"),
    (r"어따가?(?=[\s가-힣])|어디다가?", "어디에"),
    (r"어[케캐]|어[뜨떠트]케|어떻케|어떡게|어떻해", "어떻게"),
    (r"[모머](?=야|에요|예요|지" + _NEXT + r"|니" + _NEXT + ")(?<![가-힣][모머])", "뭐"),
    (r"얼만(?=지)", "얼마인"),
    (r"얼마(?=임|냐)", "얼마 "),
    (r"그려[죠저](?=요?" + _NEXT + ")", "그려줘"),
    (r"알[랴려][죠져줭]|갈[켜쳐][줘죠]", "알려줘"),
    (r"차자(?=[줘주봐])", "찾아"),
    (r"(?<![가-힣])(?:글고|글구|그리구|글면서)" + _NEXT, "그리고"),
    (r"(?<=[하주보리])구(?=[\s,])", "고"),
    (r"(?<=[해에나어아세지가돼봐줘러려까쳐워와해쥬])[여염욤]" + _NEXT, "요"),
    (r"(?<=[가-힣])라[구거](?=\s|$)", "라고"),
    (r"\bwh?ats\b", "what's"),
    (r"\bwheres\b", "where's"),
    (r"\bhows\b", "how's"),
    (r"\b(?:recyle|recylce|reycle|recicle)", "recycl"),
    (r"\b(?:wether|wheather|weathr)\b", "weather"),
    (r"\b(?:tmr|tmrw|tmw|2moro|tomorow|tommorow|tommorrow)\b", "tomorrow"),
    (r"\b(?:pls|plz)\b", "please"),
    (r"\bbatter(?:ys|eries)\b", "batteries"),
    (r"\b(?:matress|mattres)\b", "mattress"),
    (r"\b(?:furnit[eu]re)\b", "furniture"),
    (r"\bcaracter", "character"),
)
_PATTERNS = tuple((re.compile(slip, re.IGNORECASE), good) for slip, good in _FOLDS)


def folded(text: str) -> str:
    """Return the text with the slips that the rules know put right, and all else as it stands."""
    for slip, good in _PATTERNS:
        text = slip.sub(good, text)
    return text
