"""Word tables of the rules: Hangul is matched anywhere, Latin words as whole words."""

import re
from collections.abc import Iterable


def listed(text: str) -> tuple[str, ...]:
    """Return the entries of a table written as one text with commas."""
    return tuple(entry.strip() for entry in text.split(","))


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for any of these words; a blank in a Korean word may be left out."""
    forms = [rf"\b{word}\b" if word.isascii() else word.replace(" ", r"\s?") for word in words]
    return re.compile("|".join(forms), re.IGNORECASE)


MATERIALS = listed("""
    플라스틱, 알루미늄, 스티로폼, 폐지, 파지, 신문지, 골판지, 종이, 고철, 구리, 철, 캔, 유리, 비닐, 페트,
    PET, PE, PP, PS, PVC, ABS, plastic, aluminum, aluminium, steel, copper, paper, cardboard, glass, vinyl
""")

SMALL_TALK_WORDS: dict[str, tuple[str, ...]] = {
    "who": listed("""
        누구야, 누구세요, 누구니, 누구예요, 이름이 뭐, 정체가 뭐, 뭐 할 수 있, 뭘 할 수 있, who are you,
        your name, what can you do
    """),
    "thanks": listed("고마워, 고맙, 감사, 땡큐, thanks, thank you, thx"),
    "goodbye": listed(
        "잘 있어, 잘 가, 안녕히, 다음에 봐, 잘 자, 굿나잇, 굿밤, bye, goodbye, good night, see you"
    ),
    "greeting": listed("""
        안녕, 반가워, 반갑, 처음 뵙, 방가, 굿모닝, 좋은 아침, 좋은 저녁, hi, hello, hey, good morning,
        good afternoon, good evening
    """),
}

DATE_WORDS = listed("""
    오늘, 내일 모레, 내일, 모레, 이번 주말, 다음 주, 이번 주, 이번 달, 주말, 월요일, 화요일, 수요일, 목요일,
    금요일, 토요일, 일요일, today, tomorrow, this weekend, weekend, next week, monday, tuesday, wednesday,
    thursday, friday, saturday, sunday
""")

CITIES = listed("""
    서울, 부산, 대구, 인천, 광주, 대전, 울산, 세종, 수원, 성남, 용인, 고양, 창원, 청주, 전주, 천안, 제주,
    포항, 안산, 안양, seoul, busan, daegu, incheon, gwangju, daejeon, ulsan, sejong, suwon, jeju
""")

# Words that end like a district and are none.
NOT_DISTRICTS = listed("""
    가구, 도구, 입구, 출구, 친구, 기구, 문구, 축구, 농구, 야구, 전구, 지구, 침구, 완구, 공구, 접시, 혹시,
    다시, 역시, 표시, 택시, 즉시, 잠시, 누구
""")
