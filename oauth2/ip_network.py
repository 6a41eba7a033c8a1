"""Which IP addresses count as one sender when failures are counted."""

import ipaddress
import re

#: Bits of an IPv6 address that name a site, whose owner has all 2^64 addresses in it
#: (RFC 4291 §2.5.4, RFC 6177).
SITE_PREFIX = 64

#: Stands for every sender whose address cannot be parsed. With a network for each such
#: text, a sender could invent a new one each time and would never reach a limit.
UNREADABLE = 'unreadable'

#: The forms in which proxies write an address, with or without brackets, a zone and a port
#: (RFC 3986 §3.2.2, RFC 4007 §11, RFC 7239 §6). In the last form, which has several colons
#: and no brackets, the text after the last colon is not a port.
FORMS = (
    re.compile(r'\[([^][%]*)(?:%[^][]*)?\](?::[^][:]*)?'),
    re.compile(r'([^][:%]*)(?:%[^][:]*)?(?::[^][:]*)?'),
    re.compile(r'([^][%]*)(?:%[^][]*)?'),
)


def get_network(address):
    """Return a text that is the same for all addresses that one sender has.

    :param address: the sender's IP address as the web server or a proxy in front of it
        writes it, or None
    :return: an IPv4 address without its port, also for one mapped into IPv6; the network
        of an IPv6 address; `UNREADABLE` for anything else
    """
    parsed = _parse(address or '')
    if parsed is None:
        return UNREADABLE
    if parsed.version == 6 and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, SITE_PREFIX), strict=False))


def _parse(address):
    text = address.strip(' \t"')
    for form in FORMS:
        if match := form.fullmatch(text):
            try:
                return ipaddress.ip_address(match[1])
            except ValueError:
                continue
    return None
