"""N103: the network for which failures are counted."""

import pytest

from oauth2.ip_network import UNREADABLE, get_network


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
    ],
)
def test_network(address, network):
    """RFC 4291 §2.5.4: one site has all addresses of 64 bits."""
    assert get_network(address) == network


@pytest.mark.parametrize(
    ('address', 'network'),
    [
        ('203.0.113.7:50000', '203.0.113.7'),
        ('203.0.113.7:50001', '203.0.113.7'),
        ('203.0.113.7:', '203.0.113.7'),
        ('203.0.113.7%eth0', '203.0.113.7'),
        (' 203.0.113.7 ', '203.0.113.7'),
        ('[203.0.113.7]:443', '203.0.113.7'),
        ('[2001:db8:1:2::1]', '2001:db8:1:2::/64'),
        ('[2001:db8:1:2::1]:50000', '2001:db8:1:2::/64'),
        ('"[2001:db8:1:2::1]:50000"', '2001:db8:1:2::/64'),
        ('[2001:db8:1:2::1%25eth0]:50000', '2001:db8:1:2::/64'),
        ('fe80::1%eth1', 'fe80::/64'),
        ('fe80::1%', 'fe80::/64'),
        ('[fe80::1%eth0]', 'fe80::/64'),
        ('::ffff:203.0.113.7%eth0', '203.0.113.7'),
        ('[::ffff:203.0.113.7]:50000', '203.0.113.7'),
        ('[::ffff:cb00:7107]', '203.0.113.7'),
    ],
)
def test_o02_port_zone_and_brackets(address, network):
    """The forms that proxies write: otherwise each port or zone would be a different sender."""
    assert get_network(address) == network


@pytest.mark.parametrize(
    'address',
    [
        None, '', ' ', 'unknown', '_hidden', 'unix:', '@', '203.0.113.700', '203.0.113.7.1', '203.0.113.007',
        '203.0.113.7/32', '2001:db8::/64', '2001:db8:1:2:3:4:5:6:50000', '[203.0.113.7', ']', '[]:1', '%', '%eth0',
        'fe80::1%eth0%eth1]', '203.0.113.7, 203.0.113.8', '\u0662\u0660\u0663.0.113.7', 'x' * 300, '[' * 300,
        '203.0.113.7:1:2',
    ],
)  # fmt: skip
def test_o02_unreadable(address):
    """All unreadable addresses count as one, because a sender can always make up another."""
    assert get_network(address) == UNREADABLE
