"""How an administrator is shown a value that a stranger sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import quotation, tokens


@pytest.mark.parametrize(
    ('sent', 'shown'),
    [
        ('https://app.example/cb?code=secret', 'https://app.example/cb'),
        ('https://app.example/cb#token=secret', 'https://app.example/cb'),
        ('https://app.example/cb#a?b', 'https://app.example/cb'),
        ('https://user:secret@app.example/cb', 'https://app.example/cb'),
        ('https://user:secret@x@app.example/a@b', 'https://app.example/a@b'),
        ('https:\\\\user:secret@app.example\\cb', 'https:\\\\app.example\\cb'),
        ('https%3A%2F%2Fu:secret%40app.example%2Fcb%3Fcode=secret', 'https%3A%2F%2Fapp.example%2Fcb'),
        ('com.example.app:/cb?x', 'com.example.app:/cb'),
        ('https://app.example/cb ', 'https://app.example/cb '),
        ('https://[', 'https://['),
        ('', ''),
        (None, None),
    ],
)
def test_uri(sent, shown):
    assert quotation.quote_uri(sent) == shown


@pytest.mark.parametrize('text', ['{}', 'scope {}', 'https://app.example/{}/cb', 'x' * 150 + '{}'])
@pytest.mark.parametrize(
    'secret',
    [
        tokens.generate_client_secret(),
        tokens.render(tokens.AUTHORIZATION_CODE, 7, tokens.generate_secret()),
        tokens.render_refresh_token(b'key', 7, 0, tokens.generate_secret()),
        'eyJhbGciOiJub25lIn0.eyJhdWQiOiJvdGhlciIsInN1YiI6IjIifQ.c2VjcmV0',
    ],
    ids=['client secret', 'code', 'refresh token', 'JWT'],
)
def test_secrets_are_not_shown(secret, text):
    shown = quotation.quote(text.format(secret))
    assert secret[-20:] not in shown
    assert '…' in shown


def test_characters_that_deceive():
    assert quotation.quote('a\u202eb\nc\u2028d\u200be\0') == 'a�b�c�d�e�'


@given(st.text(max_size=2000), st.integers(10, 300))
def test_length_and_characters(text, length):
    for shown in (quotation.quote(text, length), quotation.quote_uri(text)):
        assert not {'\n', '\r', '\0', '\x1b', '\u2028', '\u202e'}.intersection(shown)
    assert len(quotation.quote(text, length)) <= length
    assert len(quotation.quote_uri(text)) <= quotation.MAX_LENGTH
