"""Which addresses count as one, when failures of a stranger are counted."""

import ipaddress
import re

#: Bits of an IPv6 address that name a site: its owner has all 2^64 addresses
#: in it (RFC 4291 §2.5.4, RFC 6177).
SITE_PREFIX = 64

#: All senders whose address nobody can read count as one: what cannot be read can be
#: anything, and with a network for each text nobody would ever reach a limit.
UNREADABLE = 'unreadable'

#: The address in the forms that proxies write it in, with a port and a zone beside it: in
#: brackets or not (RFC 3986 §3.2.2, RFC 4007 §11, RFC 7239 §6). Of two colons and more,
#: without brackets, the last is no port.
FORMS = (
    re.compile(r'\[([^][%]*)(?:%[^][]*)?\](?::[^][:]*)?'),
    re.compile(r'([^][:%]*)(?:%[^][:]*)?(?::[^][:]*)?'),
    re.compile(r'([^][%]*)(?:%[^][]*)?'),
)


def get_network(address):
    """Return what stands for all addresses that somebody can send from.

    :param address: the address of the sender as the web server or a proxy in front of
        it names it, or None
    :return: an IPv4 address without its port, also one that is written as an IPv6 address;
        of an IPv6 address the network; `UNREADABLE` for anything else
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
