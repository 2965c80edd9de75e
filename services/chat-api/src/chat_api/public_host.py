"""Which hosts may be passed on: the model's server fetches the picture, and may stand in our own network."""

import ipaddress
import re
import socket
import unicodedata

_PRIVATE_NAMES = (
    *("localhost", "localdomain", "local", "internal", "svc"),
    *("intranet", "lan", "home", "corp", "arpa", "onion"),
)
# Clients read what else there may be in their own ways: `\` ends a host, `%31` is a digit.
_LABEL = re.compile(r"[\w-]+")


def is_public_host(host: str) -> bool:
    """False for addresses and names that lead into a private network, in whatever way they are written.

    A public name may still resolve to a private address; whoever fetches has to look at that.
    """
    # As IDNA has it: a wide digit is a digit, and an ideographic full stop a dot.
    host = unicodedata.normalize("NFKC", host).replace("。", ".").rstrip(".").lower()
    address = _address(host)
    if address is not None:
        return _is_global(address)
    labels = host.split(".")
    is_name = len(labels) > 1 and all(map(_LABEL.fullmatch, labels))
    # A last label of digits makes an address of it, for some in a way that the ones above did not read.
    return is_name and not labels[-1][0].isdecimal() and labels[-1] not in _PRIVATE_NAMES


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
        if any(address in network for network in _AROUND_IPV4):
            return _is_global(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return _is_global(inner)
    return address.is_global and not address.is_multicast


_AROUND_IPV4 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
