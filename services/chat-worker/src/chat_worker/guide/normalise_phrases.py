"""What people say around the thing they ask about, to be taken away or said as the guide says it."""

import re
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """A pattern and what takes its place; `needs` is text without which it cannot match."""

    pattern: re.Pattern[str]
    replacement: str
    needs: str


def _rule(pattern: str, replacement: str = " ", needs: str = "") -> Rule:
    return Rule(re.compile(pattern), replacement, needs)


_KINDS: Final = (
    "플라스틱|비닐|종이팩|종이|유리병|유리|캔|고철|금속|스티로폼"
    "|음식물|일반|종량제|재활용|불연성|의류|소각용|대형"
)
_BINS: Final = "류|쓰레기|폐기물|봉투|봉지|수거함|함|통|마대"
_COPULA: Final = (
    "으로|로|에다가?|에|인가요?|인지|이에요|예요|이야|야|이죠|죠|일까요?|맞|아니|냐|입니까|이랑|랑|중"
    "|임|이지|이냐|이라"
)

_BROKEN: Final = r"깨(?:먹|졌|져|뜨|트|진(?=\s+[거건것]))"

_INTO: Final = "넣|담[아긴겨은았으을던지고는]|버려|버리|내려|내리|부어|부으|붓|흘려|쏟|싸|감싸"
_COUNTS: Final = "박스|상자|봉지|캔|병|장|판|통|개|뭉치|무더기|묶음|켤레|벌|마리|포대|자루|조각"

_CONTEXT: Final = (
    # "깨먹은 접시", "접시 깨졌는데": the guide knows both as "깨진 접시".
    _rule(r"(?<!\S)(?:깨먹은|깨트린|깨뜨린|박살\s?난|박살낸|부서진)(?=\s+(?![거건것]))", "깨진"),
    _rule(
        rf"(?<!\S)(\S+?)(?:이|가|을|를)?\s+(?:\S+(?:다가|다|서|고)\s+)?(?:{_BROKEN})\S*",
        r"깨진 \1",
        needs="깨",
    ),
    # "유리로 된 냄비": what it is made of.
    _rule(r"(?<!\S)(\S+?)(?:으로|로)\s+(?:된|만든)\s+", r"\1 ", needs="로"),
    # "소파 버릴 때 스티커": what is thrown away stands before the verb.
    _rule(r"(?<=\S)\s+버(?:릴\s?때|리려면|릴려면).*", needs="버"),
    # "페트병에 넣나요", "비닐에 담긴 김치", "변기에 내려도": the place, not the thing.
    _rule(rf"(?<!\S)\S+에(?:다가?|도)?\s+(?:{_INTO})\S*", needs="에"),
    # "과자 한 봉지", "두 장": how much of it.
    _rule(rf"(?<!\S)(?:한|두|세|네|몇|열|\d+)\s?(?:{_COUNTS})\S*"),
    _rule(r"(?<!\S)통째\S*", needs="통째"),
    _rule("봉다리", "봉지", needs="봉다리"),
    # "손잡이를 떼고": what stays behind when it is taken off.
    _rule(r"(?<=\S)\s+\S+[을를]\s+(?:떼|빼|제거|벗기|벗겨)\S*"),
    # "기름이 묻었는데": the dirt is not the thing.
    _rule(r"(?<=\S)\s+\S+\s+묻(?:었|어|으면|혔)\S*", needs="묻"),
    # "휴지로 바꿔 주나요", "유리병과 함께": nor is what it is exchanged for or goes along with.
    _rule(r"\S+로\s+(?:바꿔|바꾸|교환)\S*", needs="로"),
    _rule(r"(?<=\S)\s+\S+(?:와|과|랑|하고)\s+(?:함께|같이)(?!\S)"),
    # "상자를 감싼 비닐": what it was wrapped around.
    _rule(r"(?<!\S)\S+[을를]\s+\S*(?:던|싼|덮은|담은|묶은|포장한)(?=\s)"),
    # What happened before: "구워먹고", "시켰는데", "버리려고".
    _rule(r"(?<!\S)\S*(?:먹(?:고|은|었는데|다가?)|마시고|마신)(?!\S)"),
    _rule(r"(?<!\S)\S*(?:(?<!라)는데|려고|(?<!이)라고|길래|거든|면서|니까)(?!\S)"),
)
_PLACES: Final = (
    _rule(r"(?<!\S)(?:음쓰|일쓰|재활용품?)\S*"),
    # "음식물쓰레기인가요", "플라스틱으로": where it might go, not what it is.
    _rule(rf"(?<!\S)(?:{_KINDS})(?:\s?(?:{_BINS}))*(?:{_COPULA})\S*"),
    _rule(rf"(?<=\S)\s+(?:{_KINDS}|헌\s?옷)(?:\s?(?:류|쓰레기|폐기물|수거함|함))+\s*$"),
    _rule(r"\S*(?:수거함|헌옷함)\S*", needs="함"),
)
_ASKING: Final = (
    _rule(r"미세\s?먼지\S*", needs="미세"),
    _rule(r"(?<!\S)(?:일반|재활용|생활)\s?쓰레기\S*"),
    _rule(r"(?:분리\s?)?(?:수거|배출)(?!함)\S*"),
    _rule(r"분리\s?하\S*", needs="분리"),
)
# Each of these looks at one word alone, so that what it does to a word can be remembered.
ASKING_WORDS: Final = (
    _rule(r"버[리려릴린립렸림]\S*"),
    _rule(r"재활용(?!센터)\S*", needs="재활용"),
    _rule(r"(?:처리|처분|폐기|정리)(?!물)(?:하|해|방|법|는|를|할|될|되|돼|요)\S*"),
    _rule(r"(?<!\S)(?:처리|처분|폐기)(?!\S)"),
    _rule(r"(?<!\S)(?:내놓|내놔|내다|갖다|넣|담아|담으|빼야|떼야|알려|가르쳐|궁금|말해|설명|부탁)\S*"),
    _rule(r"(?<!\S)(?:어떻게|어떻해|어케|어캐|어캄|어찌|어쩌\S*|어떡\S*|어디\S*|어따|어느)(?!\S)"),
    _rule(r"(?<!\S)(?:무슨|무엇\S*|뭐\S*|뭘\S*|왜|언제|얼마\S*)(?!\S)"),
    _rule(
        r"(?<!\S)(?:하나요?|하죠|해요|해야\S*|하면|할까요?|하는지|되나요?|되는지|돼요?|되요|될까요?|되죠)(?!\S)"
    ),
    _rule(r"(?<!\S)(?:된다\S*|인가요?|맞나요?|맞아요?|있나요?|있어요?|같은데|있는데|했는데|생겼는데)(?!\S)"),
    _rule(
        r"(?<!\S)(?:좀|이거|저거|이건|그거|우리|집에|집|제가|나는|방법\S*|법\S*|요령|방식|때|거|것|건)(?!\S)"
    ),
    _rule(
        r"(?<!\S)(?:쓰레기|쓰레기통\S*|다|쓴|쓰고|다쓴|안|못|수|그냥|따로|같이|함께|혹시|요즘|됨|함|해|임)(?!\S)"
    ),
    _rule(r"(?<!\S)(?:오래된|낡은|쓰던|사용한|고장\S*|남은|먹다|먹고|시켜\S*|씻\S*)(?!\S)"),
)
# "플라스틱으로 버리나요" asks about plastic: a place is the thing when nothing else is left.
KOREAN: Final = ((*_CONTEXT, *_PLACES, *_ASKING), (*_CONTEXT, *_ASKING))

ENGLISH: Final = (
    _rule(r"\b(?:can|could|should|do|does|may|must|would)\s+(?:i|we|you|they|it|this|the|my|people)\b"),
    _rule(r"^(?:can|could)\s+(?=\S+\s)"),
    _rule(r"\b(?:how|where|what|which|when|i|we|you|to|the|a|an|my|is|are|be|it|in|into|of|for|with)\b"),
    _rule(
        r"\b(?:this|that|these|and|or|old|used|empty|throw|throwing|away|out|dispos(?:e|es|ed|ing|al)|recycl\w*)\b"
    ),
    # "eggshells in food waste?": where it might go.
    _rule(r"(?<=[a-z])\s+(?:food|general|paper|plastic|glass|metal|vinyl)\s+(?:waste|recycling)\b"),
    _rule(r"\bworld cup\b"),
    _rule(r"\b(?:trash|garbage|bins?|put|get|rid|please|tell|me|goes|go|korea|seoul|discard\w*)\b"),
)
