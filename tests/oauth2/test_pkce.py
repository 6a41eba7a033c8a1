"""RFC 7636 and RFC 9700 §2.1.1."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import pkce
from oauth2.errors import InvalidGrant, InvalidRequest

# RFC 7636 appendix B.
VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

UNRESERVED = string.ascii_letters + string.digits + '-._~'
verifiers = st.text(UNRESERVED, min_size=43, max_size=128)


def test_challenge_of_rfc_7636_appendix_b():
    assert pkce.compute_challenge(VERIFIER) == CHALLENGE
    pkce.check_challenge(CHALLENGE, 'S256', required=True)
    pkce.check_verifier(VERIFIER, CHALLENGE)


@pytest.mark.parametrize(
    ('challenge', 'method', 'required'),
    [
        pytest.param(None, None, True, id='N047 missing although required (RFC 7636 4.4.1)'),
        pytest.param(None, 'S256', False, id='N052 method without challenge'),
        pytest.param(CHALLENGE, 'plain', False, id='N048 plain (RFC 9700 2.1.1)'),
        pytest.param(CHALLENGE, None, False, id='N049 no method means plain (RFC 7636 4.3)'),
        pytest.param(CHALLENGE, 'S512', False, id='N050 unknown method'),
        pytest.param(CHALLENGE, 's256', False, id='N050 method in another letter case'),
        pytest.param(CHALLENGE, 'S256\n', False, id='N050 method with a newline'),
        pytest.param(CHALLENGE[:-1], 'S256', False, id='N051 42 characters (RFC 7636 4.2)'),
        pytest.param(CHALLENGE + 'A', 'S256', False, id='N051 44 characters'),
        pytest.param(CHALLENGE + '=', 'S256', False, id='N051 padding'),
        pytest.param(CHALLENGE + '\n', 'S256', False, id='N051 newline'),
        pytest.param(CHALLENGE.replace('-', '+'), 'S256', False, id='N051 alphabet of base64'),
        pytest.param(CHALLENGE.replace('-', 'é'), 'S256', False, id='N051 not ASCII'),
    ],
)
def test_authorization_request_is_refused(challenge, method, required):
    """N047-N052; RFC 7636 §4.4.1: invalid_request."""
    with pytest.raises(InvalidRequest):
        pkce.check_challenge(challenge, method, required)


def test_pkce_may_be_optional():
    """RFC 9700 §2.1.1: confidential clients should, not must."""
    pkce.check_challenge(None, None, required=False)
    pkce.check_verifier(None, None)


@pytest.mark.parametrize(
    'verifier',
    [
        pytest.param(None, id='N122 missing'),
        pytest.param('x' * 43, id='N123 wrong'),
        pytest.param(CHALLENGE, id='N125 the challenge itself'),
        pytest.param(VERIFIER + '\n', id='N124 newline'),
        pytest.param(VERIFIER + 'é', id='N124 not ASCII'),
        pytest.param(VERIFIER.swapcase(), id='N123 other letter case'),
    ],
)
def test_verifier_is_refused(verifier):
    """RFC 7636 §4.6: invalid_grant."""
    with pytest.raises(InvalidGrant):
        pkce.check_verifier(verifier, CHALLENGE)


@pytest.mark.parametrize(
    'verifier',
    [
        'x' * 42,
        'x' * 129,
        *(f"{'x' * 42}{character}" for character in '+/= %'),
    ],
)
def test_verifier_must_follow_the_grammar(verifier):
    """N124; RFC 7636 §4.1: refused although its digest is that of the challenge."""
    with pytest.raises(InvalidGrant):
        pkce.check_verifier(verifier, pkce.compute_challenge(verifier))


@pytest.mark.parametrize('verifier', ['x', 'x' * 42, 'x' * 129, 'x' * 42 + '+'])
def test_p05_what_a_verifier_is_made_of(verifier):
    """RFC 7636 §4.1: a malformed verifier gets this error, not that it does not match."""
    with pytest.raises(InvalidGrant, match='has 43 to 128 characters: letters, digits'):
        pkce.check_verifier(verifier, CHALLENGE)
    with pytest.raises(InvalidGrant, match='does not match'):
        pkce.check_verifier('x' * 43, CHALLENGE)


@pytest.mark.parametrize('challenge', [VERIFIER[:42], f'{CHALLENGE}=', 'plain'])
def test_p05_what_a_challenge_is_made_of(challenge):
    with pytest.raises(InvalidRequest, match='43 letters, digits'):
        pkce.check_challenge(challenge, 'S256', required=True)


@pytest.mark.parametrize('challenge', [None, ''])
def test_verifier_without_challenge_is_a_downgrade(challenge):
    """N126; RFC 9700 §2.1.1, §4.8.2: an attacker removed the challenge."""
    with pytest.raises(InvalidRequest):
        pkce.check_verifier(VERIFIER, challenge)


@given(verifiers, verifiers)
def test_only_its_own_verifier_fits(verifier, other):
    challenge = pkce.compute_challenge(verifier)
    pkce.check_challenge(challenge, 'S256', required=True)
    pkce.check_verifier(verifier, challenge)
    if other != verifier:
        with pytest.raises(InvalidGrant):
            pkce.check_verifier(other, challenge)


@given(st.text())
def test_any_text_is_answered_with_invalid_grant(verifier):
    """N124: no text from a stranger causes an internal error."""
    with pytest.raises(InvalidGrant):
        pkce.check_verifier(verifier, CHALLENGE)
