"""Token strings: RFC 6749 §10.10, RFC 6819 §5.1.4.1.3, RFC 9700 §4.14.2."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oauth2 import tokens

KEY = bytes(range(32))
SECRET = 'Az09_-' + 'x' * 37
MAC = 'm' * 43

secrets = st.text('ABCabcxyz0189_-', min_size=43, max_size=43)
row_ids = st.integers(1, 2**31 - 1)
generations = st.integers(0, 9_999_999_999)
kinds = st.sampled_from([tokens.AUTHORIZATION_CODE, tokens.ACCESS_TOKEN])


@st.composite
def strings(draw):
    """A token of any kind."""
    if draw(st.booleans()):
        return tokens.render(draw(kinds), draw(row_ids), draw(secrets))
    return tokens.render_refresh_token(KEY, draw(row_ids), draw(generations), draw(secrets))


@st.composite
def mutated(draw):
    """A token and a string that differs from it in one place."""
    string = draw(strings())
    start = draw(st.integers(0, len(string)))
    changed = string[:start] + draw(st.text('09afAF_-= \n\0é', max_size=2)) + string[start + draw(st.integers(0, 2)) :]
    changed = draw(st.sampled_from([changed, string.swapcase(), string.upper(), string[:start], string[start:]]))
    assume(changed != string)
    return string, changed


@given(kinds, row_ids, secrets)
def test_round_trip(kind, row_id, secret):
    assert tokens.parse(tokens.render(kind, row_id, secret)) == tokens.Token(kind, row_id, secret, None, None)


def test_biggest_row():
    """PostgreSQL's `integer` ends there."""
    assert tokens.parse(f'orestapi_at_{2**31 - 1}_{SECRET}').row_id == 2**31 - 1


@given(row_ids, generations, secrets)
def test_round_trip_of_a_refresh_token(row_id, generation, secret):
    token = tokens.parse(tokens.render_refresh_token(KEY, row_id, generation, secret))
    assert (token.kind, token.row_id, token.generation, token.secret) == ('rt', row_id, generation, secret)
    assert tokens.is_genuine(KEY, token)
    assert not tokens.is_genuine(KEY[::-1], token)


def test_what_was_issued_stays_genuine():
    """A change in the computation of a MAC or a successor would end the sign-ins of all users."""
    assert tokens.render_refresh_token(KEY, 1, 12, SECRET) == (
        f'orestapi_rt_1_12_{SECRET}_G8tZlx5PHw0acyS0CPcWOhYeSenJtZDTd0RnxrDy12A'
    )
    assert tokens.derive_secret(SECRET, 'salt', 'at') == 'hD-dEkGvbKgLtJGCseMDFAzSnQu-YDGa7oaXch0yxZ4'


@given(mutated())
def test_no_other_string_is_the_same_token(pair):
    """N111, N137, N185: a truncated, case-changed or mutated token is not the same token."""
    string, changed = pair
    token, other = tokens.parse(string), tokens.parse(changed)
    if other is None:
        return
    assert other != token
    if other.kind == tokens.REFRESH_TOKEN:
        # Changing the row, the generation or the secret would require the key.
        assert not tokens.is_genuine(KEY, other)
    else:
        assert (other.kind, other.row_id) != (token.kind, token.row_id) or not tokens.has_digest(
            other.secret, tokens.compute_digest(token.secret)
        )


@given(row_ids, generations, secrets, row_ids, generations, secrets)
def test_mac_binds_row_generation_and_secret(row_id, generation, secret, row_id_2, generation_2, secret_2):
    """N143, RFC 9700 §4.14.2: the MAC of one refresh token never makes another one genuine."""
    token = tokens.parse(tokens.render_refresh_token(KEY, row_id, generation, secret))
    for forged in (
        tokens.Token('rt', row_id_2, secret, generation, token.mac),
        tokens.Token('rt', row_id, secret, generation_2, token.mac),
        tokens.Token('rt', row_id, secret_2, generation, token.mac),
    ):
        assert tokens.is_genuine(KEY, forged) == (forged == token)


def test_mac_separates_row_and_generation():
    """N143: refresh 12 of row 1 is not refresh 2 of row 11."""
    token = tokens.parse(tokens.render_refresh_token(KEY, 1, 12, SECRET))
    assert not tokens.is_genuine(KEY, tokens.Token('rt', 11, SECRET, 2, token.mac))


@given(st.text())
def test_parse_answers_for_any_text(string):
    """N137, N175: no text from a stranger causes an internal error."""
    assert tokens.parse(string) is None


@pytest.mark.parametrize(
    'string',
    [
        '',
        'orestapi',
        'orestapi_',
        "' OR 1=1 --",
        '%',
        '_',
        'x' * 100_000,
        f'orestapi_at_0_{SECRET}',
        f'orestapi_at_01_{SECRET}',
        f'orestapi_at_-1_{SECRET}',
        f'orestapi_at_+1_{SECRET}',
        f'orestapi_at_1 _{SECRET}',
        f'orestapi_at_\u0661_{SECRET}',
        f'orestapi_at_1_0_{SECRET}',
        f'orestapi_at_{2**31}_{SECRET}',
        f'orestapi_at_{10**10}_{SECRET}',
        f"orestapi_at_{'9' * 5000}_{SECRET}",
        f'orestapi_at_1_{SECRET[:-1]}',
        f'orestapi_at_1_{SECRET}x',
        f'orestapi_at_1_{SECRET}=',
        f'orestapi_at_1_{SECRET}\n',
        f' orestapi_at_1_{SECRET}',
        f'ORESTAPI_at_1_{SECRET}',
        f'orestapi_AT_1_{SECRET}',
        f"orestapi_at_1_{'+' * 43}",
        f"orestapi_at_1_{'é' * 43}",
        f'orestapi_at__{SECRET}',
        f'orestapi_at_1_0_{SECRET}_{MAC}',
        f'orestapi_rt_1_{SECRET}',
        f'orestapi_rt_1_0_{SECRET}',
        f'orestapi_rt_1_00_{SECRET}_{MAC}',
        f'orestapi_rt_1_-1_{SECRET}_{MAC}',
        f'orestapi_rt_0_0_{SECRET}_{MAC}',
        f'orestapi_rt_{2**31}_0_{SECRET}_{MAC}',
        f'orestapi_rt_1_0_{SECRET}_{MAC[:-1]}',
        f'orestapi_rt_1_0_{SECRET}_{MAC}\n',
        f'orestapi_rt_1_{10**10}_{SECRET}_{MAC}',
        pytest.param(f'orestapi_cs_{SECRET}', id='N192 client secret'),
        pytest.param(f'orestapi_cs_1_{SECRET}', id='N192 kind that has no row'),
    ],
)
def test_not_a_token(string):
    """N111, N175, N192: no value that PostgreSQL would reject gets past this check."""
    assert tokens.parse(string) is None


def test_kind_is_part_of_the_token():
    """N130, N156, N192: the kind cannot be mistaken; the caller compares it."""
    kinds = [
        tokens.parse(string).kind
        for string in (
            tokens.render('ac', 1, SECRET),
            tokens.render('at', 1, SECRET),
            tokens.render_refresh_token(KEY, 1, 0, SECRET),
        )
    ]
    assert kinds == [tokens.AUTHORIZATION_CODE, tokens.ACCESS_TOKEN, tokens.REFRESH_TOKEN]


def test_digest():
    """N225; RFC 6819 §5.1.4.1.3: the stored SHA-256 of the secret does not work as a token."""
    digest = tokens.compute_digest('abc')
    assert digest == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert tokens.has_digest('abc', digest)


@pytest.mark.parametrize(
    ('secret', 'stored'),
    [
        ('abd', tokens.compute_digest('abc')),
        ('abc', tokens.compute_digest('abc').upper()),
        ('abc', None),
        ('', None),
        ('abc', ''),
        (tokens.compute_digest('abc'), tokens.compute_digest('abc')),
    ],
)
def test_digest_of_another_secret(secret, stored):
    assert not tokens.has_digest(secret, stored)


def test_secrets_are_random_and_long():
    """RFC 6749 §10.10: 256 bits, where at least 128 are required."""
    drawn = {tokens.generate_secret() for _ in range(100)}
    assert len(drawn) == 100
    assert all(re.fullmatch(r'[A-Za-z0-9_-]{43}', secret) for secret in drawn)
    assert len({tokens.generate_client_id() for _ in range(100)}) == 100
    assert re.fullmatch(r'[0-9a-f]{32}', tokens.generate_client_id())
    assert re.fullmatch(r'orestapi_cs_[A-Za-z0-9_-]{43}', tokens.generate_client_secret())


def test_secret_is_in_no_repr():
    """N109; RFC 6819 §4.6.7."""
    assert SECRET not in repr(tokens.parse(tokens.render('at', 1, SECRET)))


@pytest.mark.parametrize(
    ('string', 'ours'),
    [
        (f'orestapi_at_1_{SECRET}', True),
        (f'orestapi_ac_1_{SECRET}', True),
        (f'orestapi_rt_1_0_{SECRET}_{SECRET}', True),
        ('orestapi_garbage', False),
        ('orestapi_at_1_garbage', False),
        (f'orestapi_at_1_{SECRET}x', False),
        ('', False),
        ('orestapi', False),
        ('x' * 40, False),
        *((value, False) for value in (None, 5, True, ['orestapi_'], {'orestapi_': 1})),
    ],
)
def test_has_token_form(string, ours):
    assert tokens.has_token_form(string) is ours


@given(secrets, secrets, st.sampled_from(['at', 'rt']), secrets, secrets, st.sampled_from(['at', 'rt']))
def test_derived_secret(secret, salt, kind, secret_2, salt_2, kind_2):
    """N145: repeatable, and different for each secret, salt and kind."""
    derived = tokens.derive_secret(secret, salt, kind)
    assert re.fullmatch(r'[A-Za-z0-9_-]{43}', derived)
    same = (secret, salt, kind) == (secret_2, salt_2, kind_2)
    assert (tokens.derive_secret(secret_2, salt_2, kind_2) == derived) is same
    assert tokens.derive_secret(secret, salt, kind_2) == derived or kind != kind_2
    assert derived not in (secret, salt)


@pytest.mark.parametrize(
    ('client_id', 'good'),
    [
        *((client_id, True) for client_id in ('a' * 8, 'Az09._~-', 'a' * 128)),
        *((client_id, False) for client_id in ('', 'a' * 7, 'a' * 129, '\u0430' * 8)),
        *(('a' * 8 + character, False) for character in ':% +/\n\0'),
    ],
)
def test_client_id_needs_no_escaping(client_id, good):
    """RFC 6749 §A.1; a colon would end the id in RFC 7617 §2."""
    assert bool(tokens.CLIENT_ID.fullmatch(client_id)) is good
    assert tokens.CLIENT_ID.fullmatch(tokens.generate_client_id())
