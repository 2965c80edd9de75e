"""Which hosts may be passed on: the model's server fetches the picture, and may stand in our own network."""

import ipaddress
import socket

_PRIVATE_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "onion")


def is_public_host(host: str) -> bool:
    """False for addresses and names that lead into a private network, in whatever way they are written.

    A public name may still resolve to a private address; whoever fetches has to look at that.
    """
    host = host.rstrip(".").lower()
    address = _address(host)
    if address is not None:
        return _is_global(address)
    labels = host.split(".")
    return len(labels) > 1 and all(labels) and labels[-1] not in _PRIVATE_NAMES


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        # The older ways, which resolvers still read: 2130706433, 0x7f.1, 0177.0.0.1.
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return _is_global(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return _is_global(inner)
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
