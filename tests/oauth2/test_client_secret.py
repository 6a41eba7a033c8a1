"""RFC 6819 §5.1.4.1.3 and RFC 6749 §2.3.1."""

import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import client_secret

SECRET = 'correct horse battery staple'
STORED = client_secret.compute_hash(SECRET)


@pytest.fixture(autouse=True)
def forget():
    client_secret._verified.clear()


def test_secret_at_rest():
    """N225; RFC 6819 §5.1.4.1.3: the hash is salted and slow, and does not work as a secret."""
    assert STORED.startswith(f'$pbkdf2-sha512${client_secret.ROUNDS}$')
    assert SECRET not in STORED
    assert client_secret.compute_hash(SECRET) != STORED
    assert not client_secret.verify(STORED, STORED)


@pytest.mark.parametrize(
    'secret',
    [
        '',
        'x',
        SECRET[:-1],
        SECRET + ' ',
        SECRET.upper(),
        '\0',
        'é' * 16,
        pytest.param('x' * 5_000, id='more than passlib takes'),
        pytest.param('x' * 1_000_000, id='1 MB'),
    ],
)
@pytest.mark.parametrize('stored', [STORED, None, ''])
def test_wrong_secret(secret, stored):
    """N090, N097, N100: False for any text from a stranger, with or without a stored hash."""
    assert client_secret.verify(secret, stored) is False
    assert not client_secret._verified


def test_right_secret_and_the_memory_of_it():
    """The second verification does not pay the slow hash, and the memory is keyed."""
    assert client_secret.verify(SECRET, STORED)
    (entry,) = client_secret._verified
    assert SECRET.encode() not in entry and STORED.encode() not in entry
    assert client_secret.verify(SECRET, STORED)
    assert len(client_secret._verified) == 1


def test_memory_spares_the_slow_hash(monkeypatch):
    assert client_secret.verify(SECRET, STORED)
    monkeypatch.setattr(client_secret, 'CONTEXT', None)
    assert client_secret.verify(SECRET, STORED)


def test_rotation():
    """N099: an old secret that was verified before is not recognised after a change."""
    assert client_secret.verify(SECRET, STORED)
    assert not client_secret.verify(SECRET, client_secret.compute_hash('another secret, 2026'))
    assert not client_secret.verify(SECRET, None)


def test_memory_is_bounded(monkeypatch):
    """The least recently used entry is dropped first."""
    monkeypatch.setattr(client_secret, '_CAPACITY', 2)
    old, used, new = [client_secret.compute_hash(SECRET) for _ in range(3)]
    assert all(client_secret.verify(SECRET, stored) for stored in (used, old, used, new))
    assert len(client_secret._verified) == 2
    monkeypatch.setattr(client_secret, 'CONTEXT', None)
    assert client_secret.verify(SECRET, used) and client_secret.verify(SECRET, new)


def test_length():
    """The longest secret that an administrator may set is the longest one that is verified."""
    assert (client_secret.MIN_LENGTH, client_secret.MAX_LENGTH) == (16, 256)
    assert client_secret.verify('x' * 256, client_secret.compute_hash('x' * 256))
    assert not client_secret.verify('x' * 257, client_secret.compute_hash('x' * 257))


def test_unknown_client_costs_the_same_hash(monkeypatch):
    """N097: one slow hash of the same cost, whether the client exists or not."""
    hashes = []
    real = client_secret.CONTEXT.verify
    monkeypatch.setattr(
        client_secret.CONTEXT, 'verify', lambda secret, stored: hashes.append(stored) or real(secret, stored)
    )
    client_secret.verify('a wrong client secret', None)
    client_secret.verify('a wrong client secret', STORED)
    unknown, known = hashes
    assert unknown.split('$')[1:3] == known.split('$')[1:3]


@pytest.mark.parametrize(
    ('secret', 'defect'),
    [
        ('x' * 15, client_secret.Defect.LENGTH),
        ('Ab3-' * 64 + 'x', client_secret.Defect.LENGTH),
        ('50%+1-Ohng0ohng3aev', client_secret.Defect.CHARACTERS),
        ('Ohng0ohng3aev aPh4ohX', client_secret.Defect.CHARACTERS),
        ('Ohng0ohng3aev+aPh4ohX', client_secret.Defect.CHARACTERS),
        ('Ohng0ohng3aev\u00fcaPh4ohX', client_secret.Defect.CHARACTERS),
        ('Ohng0ohng3aevaPh4ohX\n', client_secret.Defect.CHARACTERS),
    ],
)
def test_p09_secret_that_some_clients_cannot_send(secret, defect):
    assert client_secret.find_defect(secret) is defect


@pytest.mark.parametrize(
    'secret',
    [
        'a' * 16,
        'aaaaaaaaaaaaaaaab',
        'abababababababab',
        'aabbccddeeffgghh',
        '1234123412341234',
        '0123456789012345',
        '0123456789abcdef',
        'abcdefghijklmnop',
        'ZYXWVUTSRQPONMLK',
        'qwertyuiopasdfgh',
        'QWERTZUIOPASDFGH',
        'passwordpassword',
        'Password12345678',
        'secret-secret-secret',
        'client-secret-0001',
        'changeme-changeme',
        'my-application-secret',
        '----------------',
        'wiki-client-wiki-client',
        'WIKI-CLIENT-12345',
        'aaaabbbbccccdddd',
        'Summer2024Summer2024',
        '1q2w3e4r5t6y7u8i',
    ],
)
def test_s13_secret_that_can_be_guessed(secret):
    assert client_secret.find_defect(secret, ['wiki-client', 'Wiki', None]) is client_secret.Defect.GUESSABLE


@given(st.sampled_from(['0123456789abcdef', string.ascii_letters + string.digits, '23456789ABCDEFGHJKMNPQRSTVWXYZ']))
def test_s13_random_secret(alphabet):
    """No generated secret is refused, down to 16 characters of an alphabet."""
    for _number in range(50):
        secret = ''.join(secrets.choice(alphabet) for _index in range(24))
        assert client_secret.find_defect(secret, ['wiki-client']) is None, secret
