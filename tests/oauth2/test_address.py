"""N103: by what the failures of a stranger are counted."""

import pytest

from oauth2.address import get_network


@pytest.mark.parametrize(
    ('address', 'network'),
    [
        ('203.0.113.7', '203.0.113.7'),
        ('::ffff:203.0.113.7', '203.0.113.7'),
        ('::ffff:cb00:7107', '203.0.113.7'),
        ('2001:db8:1:2::1', '2001:db8:1:2::/64'),
        ('2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'),
        ('2001:0DB8:0001:0002:0:0:0:1', '2001:db8:1:2::/64'),
        ('2001:db8:1:3::1', '2001:db8:1:3::/64'),
        ('fe80::1%eth0', 'fe80::/64'),
        ('::1', '::/64'),
        # What a proxy may send, and nobody can read.
        ('unknown', 'unknown'),
        ('203.0.113.7:443', '203.0.113.7:443'),
        ('', ''),
        (None, None),
    ],
)
def test_network(address, network):
    """RFC 4291 §2.5.4: one site has all addresses of 64 bits."""
    assert get_network(address) == network
