"""Where a request comes from, as far as a limit is concerned."""

import ipaddress

IPV6_PREFIX = 64
"""What one customer of a provider has to choose from: by single addresses there would be no limit."""


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
