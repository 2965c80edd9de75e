"""Asks the stand-in vendors as their clients do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

NOW = datetime(2026, 1, 14, 3, 20, tzinfo=UTC)
"""12:20 in Seoul."""
KMA = "apis.data.go.kr/1360000/VilageFcstInfoService_2.0"
MOIS = "apis.data.go.kr/1741000/household_waste_info/info"
PRICES = "apis.data.go.kr/B552584/reutilMrktPrcExmn/getlist"
STANDARD = "api.data.go.kr/openapi"
FEES = f"{STANDARD}/tn_pubr_public_lar_was_fee_api"
KECO = "api.odcloud.kr/api/15106385/v1"
SWAGGER = "infuser.odcloud.kr/oas/docs"
KAKAO = "kakao/v2/local"
KAKAO_KEY = {"Authorization": "KakaoAK key"}

PORTAL = {
    "kma": (f"{KMA}/getUltraSrtNcst", {"dataType": "JSON", "nx": 60, "ny": 127}),
    "mois": (MOIS, {"returnType": "json"}),
    "prices": (PRICES, {"returnType": "JSON"}),
    "fees": (FEES, {"type": "json"}),
    "boxes": (f"{STANDARD}/tn_pubr_public_lung_medicine_api", {"type": "json"}),
}
"""A request of every vendor behind the portal that has an answer."""
PORTAL["kma"][1].update(base_date="20260114", base_time="1200")


@dataclass(frozen=True)
class Vendors:
    """A running sandbox whose clock stands still."""

    url: str
    http: httpx.Client

    def get(self, path: str, params: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
        return self.http.get(f"{self.url}/{path}", params=params, headers=headers)

    def portal(self, vendor: str, **params: Any) -> httpx.Response:
        """Ask a vendor of data.go.kr with a key; parameters that are None are left out."""
        path, usual = PORTAL[vendor]
        asked = {"serviceKey": "key", **usual, **params}
        return self.get(path, {name: value for name, value in asked.items() if value is not None})

    def kakao(self, path: str, **params: Any) -> httpx.Response:
        return self.get(f"{KAKAO}/{path}", params, **KAKAO_KEY)

    def behave(self, vendor: str, **behaviour: Any) -> httpx.Response:
        return self.http.put(f"{self.url}/sandbox/vendors/{vendor}/behaviour", json=behaviour)

    def counts(self, vendor: str) -> dict[str, int]:
        return self.http.get(f"{self.url}/sandbox/requests").json()[vendor]
