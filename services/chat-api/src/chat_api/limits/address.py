"""Where a request comes from, and whose it is, as far as a limit is concerned."""

import ipaddress

from starlette.requests import Request

from chat_api.auth.caller import ANONYMOUS

IPV6_PREFIX = 64
"""What one customer of a provider has to choose from: by single addresses there would be no limit."""


def client_of(request: Request) -> str:
    """The address of whoever sent a request; of a proxy that is not trusted, its own."""
    return address_of(request.client.host if request.client else None)


def user_of(request: Request, owner: str) -> str:
    """Whom limits on a user count; without authentication a user is an address."""
    return owner if owner != ANONYMOUS.owner else f"{owner} {client_of(request)}"


def tenant_of(request: Request, owner: str) -> str:
    """Among whom workers are shared fairly: users as above.

    Empty for who cannot be told from others: without a credential, from this machine or from no address.
    """
    if owner != ANONYMOUS.owner:
        return owner
    address = client_of(request)
    try:
        is_here = ipaddress.ip_network(address).is_loopback
    except ValueError:
        is_here = True
    return "" if is_here else user_of(request, owner)


def address_of(host: str | None) -> str:
    """The IPv4 address or the IPv6 network of a peer; empty for a peer that has none."""
    if not host:
        return ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
