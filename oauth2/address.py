"""Which addresses count as one, when failures of a stranger are counted."""

import ipaddress

#: Bits of an IPv6 address that name a site: whoever has one has all 2^64 addresses
#: in it (RFC 4291 §2.5.4, RFC 6177).
SITE_PREFIX = 64


def get_network(address):
    """Return what stands for all addresses that somebody can send from.

    :param address: an IP address as text, or None
    :return: an IPv4 address as it is, also one that is written as an IPv6 address;
        of an IPv6 address the network; anything else as it is
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, SITE_PREFIX), strict=False))
