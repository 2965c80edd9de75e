"""How each stand-in vendor is asked to behave, one by one."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Vendor = Literal["kakao", "kma", "mois", "fees", "boxes", "keco", "prices", "tavily", "images"]
VENDORS: tuple[Vendor, ...] = get_args(Vendor)

ItemsShape = Literal["usual", "item_list", "list", "list_of_item", "single", "empty_text", "empty_item"]


class VendorFail(BaseModel):
    """A refusal by status, by the vendor's own code, or both; for `times` requests or, with null, for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: int | None = Field(default=None, ge=200, le=599)
    code: int | str | None = Field(default=None, description="22, -10, moderation_blocked ...")
    times: int | None = Field(default=None, ge=1)


class VendorBehaviour(BaseModel):
    """One way to behave; a field that a vendor has no use for changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency_ms: float | None = Field(default=None, ge=0, description="Null: as the profile says.")
    hang: bool = Field(default=False, description="The request is read and never answered.")
    fail: VendorFail | None = None
    no_data: bool = Field(default=False, description="Nothing is found, whatever is asked for.")
    items: ItemsShape = Field(default="usual", description="data.go.kr: the shape of `body.items`.")
    wrapper: bool = Field(default=True, description="data.go.kr: whether `response` wraps the reply.")
    renamed: dict[str, str] = Field(
        default_factory=dict[str, str], description="Old and new names of fields, at any depth."
    )
    cut_after_bytes: int | None = Field(default=None, ge=0, description="The body ends there, tidily.")
    break_after_bytes: int | None = Field(default=None, ge=0, description="The connection ends there.")
    moved: bool = Field(default=False, description="odcloud: the path is another one than before.")
    hostile: bool = Field(default=False, description="tavily: markup and orders stand in the results.")
    picture: Literal["drawn", "failed", "refused"] = Field(default="drawn", description="images only.")


class VendorControls:
    """The behaviour of each vendor in force; the usual one until another is put in its place."""

    def __init__(self) -> None:
        self._in_force: dict[Vendor, VendorBehaviour] = {}
        self._failures_left: dict[Vendor, int] = {}

    def of(self, vendor: Vendor) -> VendorBehaviour:
        """Return what a request to this vendor is to meet."""
        return self._in_force.get(vendor, _USUAL)

    def all(self) -> dict[Vendor, VendorBehaviour]:
        """Return the behaviour of every vendor."""
        return {vendor: self.of(vendor) for vendor in VENDORS}

    def replace(self, vendor: Vendor, wanted: VendorBehaviour) -> VendorBehaviour:
        """Put a vendor's behaviour in force; fields it does not name are as usual."""
        self._in_force[vendor] = wanted
        self._failures_left[vendor] = (wanted.fail and wanted.fail.times) or 0
        return wanted

    def reset(self, vendor: Vendor) -> VendorBehaviour:
        """Have a vendor behave as usual again."""
        self._in_force.pop(vendor, None)
        return self.of(vendor)

    def take_failure(self, vendor: Vendor) -> VendorFail | None:
        """Return how to refuse this request, using up one of the asked-for times."""
        fail = self.of(vendor).fail
        if fail is None or fail.times is None:
            return fail
        if self._failures_left[vendor] == 0:
            return None
        self._failures_left[vendor] -= 1
        return fail


_USUAL = VendorBehaviour()
