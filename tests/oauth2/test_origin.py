"""CORS: RFC 9700 §2.6, RFC 6454 §6.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import origin


@pytest.mark.parametrize(
    ('text', 'origins'),
    [
        (None, ()),
        (False, ()),
        ('', ()),
        (' \n', ()),
        ('https://a.example\n\n  https://b.example:8443 \r\n', ('https://a.example', 'https://b.example:8443')),
    ],
)
def test_parse(text, origins):
    assert origin.parse(text) == origins


@pytest.mark.parametrize(
    'text',
    [
        'https://app.example',
        'https://app.example:8443',
        'http://localhost:3000',
        'http://127.0.0.1:1',
        'http://[::1]:1',
    ],
)
def test_is_origin(text):
    """N107; RFC 6454 §6.2."""
    assert origin.is_origin(text)


@pytest.mark.parametrize(
    'text',
    [
        '',
        'null',
        '*',
        'https://*.example',
        'https://app.example/',
        'https://app.example/path',
        'https://app.example?x',
        'https://app.example#x',
        'https://user@app.example',
        'https://App.example',
        'HTTPS://app.example',
        'app.example',
        '//app.example',
        'https://',
        'https://app.example:',
        'https://app.example:x',
        'https://app.example\n',
        'https://app.example\r\nX: y',
        'https://a.example https://b.example',
        'file://',
        'chrome-extension://abc',
        'https://app.exampl\u00e9',
        'https://app\\.example',
    ],
)
def test_is_no_origin(text):
    """N107; N077: neither `null`, which any sandboxed page sends, nor a wildcard."""
    assert not origin.is_origin(text)


@given(st.text())
def test_any_text_has_an_answer(text):
    assert not origin.is_origin(text)


OWN = 'https://odoo.example.com'


@pytest.mark.parametrize(
    ('sent', 'fetch_site', 'foreign'),
    [
        (None, None, None),
        ('', None, None),
        (OWN, None, None),
        (OWN, 'same-origin', None),
        (None, 'none', None),
        (None, 'same-origin', None),
        # The issuer may differ from the URL that the browser uses.
        ('http://127.0.0.1:8069', 'same-origin', None),
        ('https://evil.example', None, 'https://evil.example'),
        (' https://evil.example ', 'cross-site', 'https://evil.example'),
        ('https://shop.example.com', 'same-site', 'https://shop.example.com'),
        ('null', None, 'null'),
        (None, 'cross-site', 'null'),
        (OWN, 'cross-site', OWN),
    ],
)
def test_s04_pages_of_other_sites(sent, fetch_site, foreign):
    """Fetch Metadata §2.3 (Sec-Fetch-Site), RFC 6454 §7."""
    assert origin.find_foreign(sent, fetch_site, OWN) == foreign


@pytest.mark.parametrize(
    ('typed', 'repaired'),
    [
        ('https://shop.example/', 'https://shop.example'),
        ('HTTPS://Shop.Example', 'https://shop.example'),
        ('https://shop.example:443', 'https://shop.example'),
        ('http://shop.example:80/', 'http://shop.example'),
        ('http://shop.example:443', 'http://shop.example:443'),
        ('https://shop.example:8443/', 'https://shop.example:8443'),
        ('http://[::1]:3000/', 'http://[::1]:3000'),
        ('\u200bhttps://shop.example/\ufeff', 'https://shop.example'),
        ('http://Odoo_Web:8069/', 'http://odoo_web:8069'),
        # Not an origin, and not repaired into one.
        ('https://Shop.example/path', 'https://Shop.example/path'),
        ('https://user@shop.example', 'https://user@shop.example'),
        ('*', '*'),
        ('null', 'null'),
        ('https://b\u00fccher.example', 'https://b\u00fccher.example'),
    ],
)
def test_a20_repair(typed, repaired):
    assert origin.repair(typed) == repaired
    assert origin.repair(repaired) == repaired
