"""RFC 6749 §3.3 and §6."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import scopes
from oauth2.errors import InvalidScope

# scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
ALLOWED = ''.join(chr(code) for code in (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F)))
names = st.text(ALLOWED, min_size=1, max_size=20)
scope_sets = st.frozensets(names, min_size=1, max_size=20)


@given(scope_sets)
def test_round_trip(tokens):
    assert scopes.parse(scopes.render(tokens)) == tokens


@given(st.text())
def test_only_the_grammar_of_rfc_6749_3_3_is_accepted(text):
    """N045: only invalid_scope is raised."""
    tokens = set(text.split(' ')) - {''}
    if all(set(token) <= set(ALLOWED) for token in tokens):
        assert scopes.parse(text) == tokens
    else:
        with pytest.raises(InvalidScope):
            scopes.parse(text)


@pytest.mark.parametrize('character', sorted({chr(code) for code in range(256)} - set(ALLOWED)))
def test_characters_outside_of_the_grammar(character):
    """N045: quote, backslash, control and non-ASCII characters."""
    assert not scopes.is_token(f'a{character}b')
    if character != ' ':
        with pytest.raises(InvalidScope):
            scopes.parse(f'read a{character}b')


@pytest.mark.parametrize('text', ['read\trpc', 'read\n', '\tread', 'read\u00a0rpc'])
def test_tokens_are_separated_by_blanks(text):
    """RFC 6749 §3.3: scope = scope-token *( SP scope-token )."""
    with pytest.raises(InvalidScope):
        scopes.parse(text)


@pytest.mark.parametrize('text', [' read rpc', 'read rpc ', 'read  rpc', '   read     rpc  '])
def test_p08_several_blanks_are_one(text):
    """Decided: programs that join lists send extra spaces, and the meaning is the same."""
    assert scopes.parse(text) == {'read', 'rpc'}


@pytest.mark.parametrize('text', ['', ' ', '   '])
def test_p08_nothing_but_blanks_is_no_scope(text):
    assert scopes.parse(text) == frozenset()
    assert scopes.narrow(text, {'read'}) == {'read'}


def test_parse():
    """RFC 6749 §3.3: order and repeats mean nothing, letter case does."""
    assert scopes.parse(None) == frozenset()
    assert scopes.parse('rpc read rpc') == {'read', 'rpc'}
    assert scopes.parse('Read') != scopes.parse('read')
    assert scopes.render({'rpc', 'read'}) == 'read rpc'
    assert not scopes.is_token('')


def test_length():
    """N045: 10 000 scopes."""
    assert scopes.parse('x' * 1000)
    for text in ('x' * 1001, ' '.join(map(str, range(10_000)))):
        with pytest.raises(InvalidScope):
            scopes.parse(text)


@given(scope_sets, scope_sets)
def test_narrow_never_widens(requested, granted):
    """N141, N142; RFC 6749 §6: the scope must not include any that was not granted."""
    if requested <= granted:
        assert scopes.narrow(scopes.render(requested), granted) == requested
    else:
        with pytest.raises(InvalidScope):
            scopes.narrow(scopes.render(requested), granted)


@given(scope_sets)
def test_omitted_scope_is_all_that_was_granted(granted):
    """RFC 6749 §6: if omitted, treated as equal to the scope granted."""
    assert scopes.narrow(None, granted) == granted
