"""Which outside services the settings open: the real one with a key, a stand-in if there are any, or none."""

from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from eco2_bus.pictures import Pictures
from eco2_telemetry.setup import Telemetry
from pydantic import SecretStr

from chat_worker.adapters.collection_boxes import LIMITS as POINT_LIMITS
from chat_worker.adapters.collection_boxes import CollectionBoxes
from chat_worker.adapters.collection_points import RegisteredPoints
from chat_worker.adapters.ddgs_search import DdgsSearch
from chat_worker.adapters.kakao_local import KakaoLocal
from chat_worker.adapters.keco_ewaste import KecoEwaste
from chat_worker.adapters.keco_prices import KecoPrices
from chat_worker.adapters.keco_prices_survey import LIMITS as PRICE_LIMITS
from chat_worker.adapters.kma_weather import LIMITS as KMA_LIMITS
from chat_worker.adapters.kma_weather import KmaWeather
from chat_worker.adapters.mois_bulky_fees import MoisBulkyFees
from chat_worker.adapters.mois_household import MoisHousehold
from chat_worker.adapters.openai_embeddings import OpenAIEmbeddings
from chat_worker.adapters.openai_images import OpenAIImages
from chat_worker.adapters.openai_model import OpenAIModel
from chat_worker.adapters.packaged_guide import PackagedGuide
from chat_worker.adapters.tavily_search import LIMITS as TAVILY_LIMITS
from chat_worker.adapters.tavily_search import TavilySearch
from chat_worker.adapters.vendor_http import DEFAULT_LIMITS, HttpLimits
from chat_worker.adapters.web_search import TavilyOrDdgs
from chat_worker.agents import AGENTS
from chat_worker.ports import Tools
from chat_worker.settings import WorkerSettings

STAND_IN_KEY = SecretStr("stand-in")
_PORTAL = "/apis.data.go.kr"
_STANDARD_DATA = "/api.data.go.kr/openapi"


class _Closable(Protocol):
    def close(self) -> Awaitable[None]: ...


T = TypeVar("T", bound=_Closable)


def open_tools(
    stack: AsyncExitStack, settings: WorkerSettings, telemetry: Telemetry, pictures: Pictures
) -> Tools:
    """Everything that the agents may reach; it closes with the stack."""
    return _Toolbox(stack, settings, telemetry).tools(pictures)


class _Toolbox:
    def __init__(self, stack: AsyncExitStack, settings: WorkerSettings, telemetry: Telemetry) -> None:
        self._stack = stack
        self._settings = settings
        self._tracer = telemetry.tracer
        self._meter = telemetry.meter
        self._stand_ins = settings.stand_ins_url.rstrip("/")

    def tools(self, pictures: Pictures) -> Tools:
        settings, tracer, meter = self._settings, self._tracer, self._meter
        key, base_url = settings.openai_api_key, settings.openai_base_url
        model = self._closing(
            OpenAIModel(
                settings.openai_model,
                key,
                base_url,
                tracer,
                meter=meter,
                max_tokens=settings.answer_max_tokens,
            )
        )
        model.begin_to_open()
        images = OpenAIImages(
            settings.openai_model,
            key,
            base_url,
            tracer,
            meter=meter,
            image_model=settings.openai_image_model,
        )
        portal = settings.data_go_kr_key
        return Tools(
            model=model,
            guide=self._guide(),
            vision=model,
            places=self._open("location", KakaoLocal, settings.kakao_rest_api_key, "/kakao/v2/local"),
            weather=self._open(
                "weather", KmaWeather, portal, f"{_PORTAL}/1360000/VilageFcstInfoService_2.0", KMA_LIMITS
            ),
            household_waste=self._open(
                "household_waste", MoisHousehold, portal, f"{_PORTAL}/1741000/household_waste_info"
            ),
            bulky_fees=self._open("bulk_waste", MoisBulkyFees, portal, _STANDARD_DATA),
            collection_points=self._collection_points(portal),
            prices=self._prices(portal),
            web_search=self._web_search(),
            characters=self._characters(),
            images=self._closing(images),
            pictures=pictures,
        )

    def _guide(self) -> PackagedGuide:
        settings = self._settings
        if not settings.openai_embedding_model:
            return self._closing(PackagedGuide())
        embedder = OpenAIEmbeddings(
            settings.openai_embedding_model,
            settings.openai_api_key,
            settings.openai_base_url,
            self._tracer,
            meter=self._meter,
        )
        return self._closing(PackagedGuide(self._closing(embedder)))

    def _open(
        self, agent: str, client: Any, key: SecretStr, path: str, limits: HttpLimits = DEFAULT_LIMITS
    ) -> Any:
        """The vendor itself, its stand-in, or None; tried as often as the table of agents says."""
        limits = _limits(agent, limits)
        if key.get_secret_value().strip():
            return self._closing(client(key, self._tracer, limits=limits))
        if self._stand_ins:
            base_url = self._stand_ins + path
            return self._closing(client(STAND_IN_KEY, self._tracer, base_url=base_url, limits=limits))
        return None

    def _collection_points(self, key: SecretStr) -> RegisteredPoints | None:
        limits, tracer = _limits("collection_point", POINT_LIMITS), self._tracer
        if key.get_secret_value().strip():
            ewaste = KecoEwaste(key, tracer, limits=limits)
            return self._closing(RegisteredPoints(ewaste, CollectionBoxes(key, tracer, limits=limits)))
        if not self._stand_ins:
            return None
        ewaste = KecoEwaste(
            STAND_IN_KEY,
            tracer,
            base_url=f"{self._stand_ins}/api.odcloud.kr",
            docs_url=f"{self._stand_ins}/infuser.odcloud.kr",
            limits=limits,
        )
        base_url = self._stand_ins + _STANDARD_DATA
        boxes = CollectionBoxes(STAND_IN_KEY, tracer, base_url=base_url, limits=limits)
        return self._closing(RegisteredPoints(ewaste, boxes))

    def _prices(self, key: SecretStr) -> KecoPrices:
        """Also without a key: then the dated snapshot answers, and says so."""
        survey = self._open(
            "recyclable_price", KecoPrices, key, f"{_PORTAL}/B552584/reutilMrktPrcExmn", PRICE_LIMITS
        )
        return survey or self._closing(KecoPrices(key, self._tracer))

    def _web_search(self) -> TavilyOrDdgs:
        key = self._settings.tavily_api_key
        tavily = self._open("web_search", TavilySearch, key, "/api.tavily.com", TAVILY_LIMITS)
        return self._closing(TavilyOrDdgs(tavily, DdgsSearch()))

    def _characters(self) -> Any:
        if not self._settings.character_target:
            return None
        # Imported here: the embedded default starts without waiting for gRPC, which takes 0.2 s.
        from chat_worker.adapters.character_grpc import GrpcCharacters

        return self._closing(
            GrpcCharacters(self._settings.character_target, self._tracer, tls=self._settings.character_tls)
        )

    def _closing(self, tool: T) -> T:
        self._stack.push_async_callback(tool.close)
        return tool


def _limits(agent: str, limits: HttpLimits) -> HttpLimits:
    return replace(limits, tries=AGENTS[agent].tries)
