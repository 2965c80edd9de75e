"""The sandbox's own words, Korean and English; every rule about waste comes from passages instead."""

from dataclasses import dataclass

from eco2_sandbox.brain.prompt import Language
from eco2_sandbox.brain.words import SMALL_TALK_WORDS, any_of


@dataclass(frozen=True)
class Phrases:
    """The frame put around quotes in one language."""

    one_topic: str
    many_topics: str
    failed: str
    not_found: str
    unnamed: str
    closing: str
    foreign: str
    nothing: str


PHRASES: dict[Language, Phrases] = {
    "ko": Phrases(
        one_topic="찾아본 {topic} 내용이에요.",
        many_topics="물어보신 내용을 하나씩 정리했어요.",
        failed="{topics} 정보는 지금 가져오지 못했어요.",
        not_found="{topics} 정보는 찾지 못했어요.",
        unnamed="찾은 자료에 '{thing}' 항목은 따로 없어서, 가장 가까운 품목의 내용이에요.",
        closing="더 궁금한 점이 있으면 이어서 물어봐 주세요.",
        foreign="",
        nothing="이 질문은 찾아본 자료가 없어서 확실한 답을 드리기 어려워요."
        " 어떤 물건을 버리려고 하시나요? 이름을 알려 주시면 안내를 찾아볼게요.",
    ),
    "en": Phrases(
        one_topic="Here is what I found ({topic}).",
        many_topics="Here is what I found, one topic at a time.",
        failed="I could not reach this information just now: {topics}.",
        not_found="I looked, but could not find this: {topics}.",
        unnamed="The sources do not mention '{thing}'; this is about the nearest thing they name.",
        closing="Ask me if anything else is unclear.",
        foreign=" Sources in Korean are quoted as they stand.",
        nothing="I could not find a source for this question, so I cannot give a reliable answer."
        " What would you like to throw away? Name it and I will look it up.",
    ),
}

_TOPICS: dict[str, dict[Language, str]] = {
    "waste_rag": {"ko": "분리배출", "en": "recycling"},
    "bulk_waste": {"ko": "대형폐기물", "en": "bulky waste"},
    "character": {"ko": "캐릭터", "en": "character"},
    "location": {"ko": "장소", "en": "places"},
    "collection_point": {"ko": "수거함", "en": "collection points"},
    "recyclable_price": {"ko": "재활용품 시세", "en": "recyclable prices"},
    "weather": {"ko": "날씨", "en": "weather"},
    "web_search": {"ko": "웹 검색", "en": "web search"},
    "image_generation": {"ko": "그림", "en": "picture"},
    "vision": {"ko": "사진", "en": "photo"},
    "household_waste": {"ko": "배출 요일", "en": "collection days"},
    "general": {"ko": "일반 안내", "en": "general advice"},
}
_OTHER_TOPIC: dict[Language, str] = {"ko": "관련", "en": "other"}

_SMALL_TALK: dict[str, dict[Language, str]] = {
    "who": {
        "ko": "저는 분리배출을 돕는 Eco²예요. 버리려는 물건을 말씀해 주시면 안내를 찾아 드릴게요.",
        "en": "I am Eco², a recycling assistant. Name what you want to throw away and I will look it up.",
    },
    "thanks": {
        "ko": "도움이 되었다니 기뻐요! 또 궁금한 것이 생기면 언제든 물어봐 주세요.",
        "en": "You are welcome! Ask me again whenever something puzzles you.",
    },
    "goodbye": {
        "ko": "이야기 나눠서 즐거웠어요. 다음에 또 만나요!",
        "en": "It was nice talking. See you next time!",
    },
    "greeting": {
        "ko": "안녕하세요! 분리배출을 돕는 Eco²예요. 무엇을 버리려고 하시나요?",
        "en": "Hello! I am Eco², a recycling assistant. What would you like to throw away?",
    },
}
_SMALL_TALK_WORDS = {kind: any_of(words) for kind, words in SMALL_TALK_WORDS.items()}


def topic(agent: str, language: Language) -> str:
    """Return what an agent looks after, in the user's words."""
    return _TOPICS.get(agent, _OTHER_TOPIC)[language]


def small_talk(text: str, language: Language) -> str | None:
    """Return the reply to a greeting, thanks or the like, or None when the text is none."""
    kinds = (kind for kind, words in _SMALL_TALK_WORDS.items() if words.search(text))
    kind = next(kinds, None)
    return _SMALL_TALK[kind][language] if kind else None
