"""The control door: tests and load runs change the stand-ins here and read what they saw."""

from fastapi import APIRouter

from eco2_sandbox.behaviour import Behaviour
from eco2_sandbox.pace import Profile
from eco2_sandbox.server import ServerDep
from eco2_sandbox.vendors.behaviour import VENDORS, Vendor, VendorBehaviour

router = APIRouter(prefix="/sandbox", tags=["sandbox"])


@router.get("/behaviour")
async def show_behaviour(server: ServerDep) -> Behaviour:
    """Return the behaviour in force."""
    return server.controls.current


@router.put("/behaviour")
async def replace_behaviour(wanted: Behaviour, server: ServerDep) -> Behaviour:
    """Put a behaviour in force; fields left out are as in the settings."""
    return server.controls.replace(wanted)


@router.delete("/behaviour")
async def reset_behaviour(server: ServerDep) -> Behaviour:
    """Return to the behaviour of the settings."""
    return server.controls.reset()


@router.get("/requests")
async def count_requests(server: ServerDep) -> dict[str, dict[str, int]]:
    """Return how many requests of each kind and vendor came, are open now, and how the others ended."""
    return server.traffic.counts()


@router.get("/vendors")
async def show_vendors(server: ServerDep) -> dict[Vendor, VendorBehaviour]:
    """Return the behaviour of every vendor."""
    return server.vendors.all()


@router.delete("/vendors")
async def reset_vendors(server: ServerDep) -> dict[Vendor, VendorBehaviour]:
    """Have every vendor behave as usual again."""
    return {vendor: server.vendors.reset(vendor) for vendor in VENDORS}


@router.get("/vendors/{vendor}/behaviour")
async def show_vendor(vendor: Vendor, server: ServerDep) -> VendorBehaviour:
    """Return a vendor's behaviour."""
    return server.vendors.of(vendor)


@router.put("/vendors/{vendor}/behaviour")
async def replace_vendor(vendor: Vendor, wanted: VendorBehaviour, server: ServerDep) -> VendorBehaviour:
    """Put a vendor's behaviour in force; fields left out are as usual."""
    return server.vendors.replace(vendor, wanted)


@router.delete("/vendors/{vendor}/behaviour")
async def reset_vendor(vendor: Vendor, server: ServerDep) -> VendorBehaviour:
    """Have a vendor behave as usual again."""
    return server.vendors.reset(vendor)


@router.get("/profile")
async def show_profile(server: ServerDep) -> Profile:
    """Return the profile in force."""
    return server.pace.profile


@router.put("/profile")
async def replace_profile(wanted: Profile, server: ServerDep) -> Profile:
    """Put a latency profile in force and begin its row of delays anew."""
    return server.pace.replace(wanted)


@router.delete("/profile")
async def reset_profile(server: ServerDep) -> Profile:
    """Return to the profile of the settings."""
    return server.pace.reset()
