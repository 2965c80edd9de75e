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


BULKY_ITEMS = listed("""
    소파, 쇼파, 침대, 매트리스, 장롱, 옷장, 책상, 책장, 식탁, 의자, 서랍장, 화장대, 피아노, 장판, 냉장고,
    세탁기, 가구, sofa, sofas, couch, mattress, mattresses, wardrobe, desk, bed, furniture, fridge,
    refrigerator
""")

ITEMS = BULKY_ITEMS + listed("""
    페트병, 유리병, 소주병, 병뚜껑, 병, 캔, 종이컵, 종이팩, 우유팩, 종이, 박스, 상자, 비닐봉지, 비닐봉투,
    비닐, 봉투, 스티로폼, 건전지, 보조배터리, 배터리, 컵, 뚜껑, 라벨, 빨대, 옷, 의류, 신발, 가방, 냄비,
    프라이팬, 형광등, 전구, 우산, 칼, 가위, 거울, 접시, 그릇, 도자기, 뽁뽁이, 음식물, 껍질, 뼈, 휴지,
    영수증, 기저귀, 칫솔, 화분, 장난감, 인형, 이불, 베개, 전자레인지, 에어컨, 선풍기, 컴퓨터, 노트북,
    핸드폰, 휴대폰, 스마트폰, 폐의약품, 의약품, 약, 식용유, 신문지, 신문, 책, 플라스틱, 용기, 텔레비전,
    bottle, bottles, can, cans, paper, box, boxes, battery, batteries, glass, plastic, bag, bags, cup, cups,
    jar, jars, clothes, shoes, umbrella, styrofoam, carton, cartons, lid, lids, label, labels
""")

MATERIALS = listed("""
    플라스틱, 알루미늄, 스티로폼, 폐지, 파지, 신문지, 골판지, 종이, 고철, 구리, 철, 캔, 유리, 비닐, 페트,
    PET, PE, PP, PS, PVC, ABS, plastic, aluminum, aluminium, steel, copper, paper, cardboard, glass, vinyl
""")

DISPOSE_WORDS = listed("""
    버려, 버리, 버릴, 버림, 버렸, 분리수거, 분리 배출, 배출, 재활용, 쓰레기, 종량제, 내놓, 내놔, 씻어, 헹궈,
    헹구, 음식물인, 음식물이야, 음식물일, 플라스틱인, 플라스틱이야, 종이인가, 떼야, 떼고, 떼어, 처리, throw,
    throwing, dispose, disposing, disposal, discard, recycle, recycled, recycling, recyclable, trash,
    garbage, rubbish, bin, get rid of, getting rid of, where do, where does, where should,
    what do i do with, what should i do with, what to do with, remove the label, remove labels, rinse
""")

BULKY_WISHES = DISPOSE_WORDS + listed(
    "수수료, 스티커, 수거, 얼마, fee, fees, cost, pick up, sticker, stickers"
)

# The first intent whose words occur in a clause is its intent: the particular comes before the common.
INTENT_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "image_generation",
        listed("""
            그려, 그림, 이미지 만들, 이미지 생성, 이미지로, 포스터, 일러스트, draw, drawing, illustration,
            poster, generate an image, picture of
        """),
    ),
    ("character", listed("캐릭터, 도감, 이코, 마스코트, character, characters, mascot, mascots")),
    (
        "bulk_waste",
        listed("""
            대형 폐기물, 대형 쓰레기, 폐기물 스티커, 배출 스티커, 수수료, 폐가전 수거, 방문 수거, bulky,
            bulk waste, large waste
        """),
    ),
    (
        "collection_point",
        listed("""
            수거함, 수거 장소, 수거처, 수거 거점, 헌옷함, 회수함, collection point, collection points,
            collection box, collection boxes, drop-off, drop off, donation bin, clothing bin, clothes bin
        """),
    ),
    ("recyclable_price", listed("시세, 단가, 매입가, 가격, 얼마, 고물값, price, prices, how much, per kilo")),
    (
        "weather",
        listed("""
            날씨, 기온, 몇 도, 비 와, 비 올, 비가 오, 비가 와, 비 오나, 비 온대, 비 오는지, 눈 와, 눈 올,
            눈이 오, 소나기, 습도, 추워, 더워, 미세 먼지, 일기 예보, 우산 챙, 우산 필요, weather, rain,
            raining, snow, snowing, forecast, temperature, how cold, how hot, how warm, humidity
        """),
    ),
    ("web_search", listed("검색, 인터넷, 뉴스, 최신, 최근, search, news, latest, google")),
    (
        "location",
        listed("""
            근처, 주변, 가까운, 위치, 어디 있, 어디에 있, 제로 웨이스트, 리필 스테이션, 재활용 센터, nearby,
            near me, nearest, closest, where is, zero waste shop, recycling center
        """),
    ),
    ("waste", DISPOSE_WORDS),
)

SMALL_TALK_WORDS: dict[str, tuple[str, ...]] = {
    "who": listed("""
        누구야, 누구세요, 누구니, 누구예요, 이름이 뭐, 정체가 뭐, 뭐 할 수 있, 뭘 할 수 있, who are you,
        your name, what can you do
    """),
    "thanks": listed("고마워, 고맙, 감사, 땡큐, thanks, thank you, thx"),
    "goodbye": listed("잘 있어, 잘 가, 안녕히, 다음에 봐, bye, goodbye, see you"),
    "greeting": listed("""
        안녕, 반가워, 반갑, 처음 뵙, 좋은 아침, 좋은 저녁, hi, hello, hey, good morning, good afternoon,
        good evening
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
