import json

import joserfc.jwk
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from jose import encoding, key_set, keys
from jose.errors import InvalidKey

#: RFC 7638 §3.1.
RSA = {
    'kty': 'RSA',
    'n': '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3'
    'oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6'
    'qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJ'
    'zKnqDKgw',
    'e': 'AQAB',
}
#: RFC 8037 §A.2.
ED25519 = {'kty': 'OKP', 'crv': 'Ed25519', 'x': '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'}
#: RFC 7515 §A.3.1.
P256 = {
    'kty': 'EC',
    'crv': 'P-256',
    'x': 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    'y': 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
}


@pytest.mark.parametrize(
    ('jwk', 'thumbprint'),
    [
        (RSA, 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'),
        (ED25519, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'),
    ],
)
def test_thumbprints_of_the_rfcs(jwk, thumbprint):
    assert keys.compute_thumbprint(jwk) == thumbprint
    assert keys.compute_thumbprint(dict(reversed(jwk.items()))) == thumbprint


def test_public_jwk(private_key):
    jwk = private_key.to_public_jwk()
    assert keys.PRIVATE_MEMBERS.isdisjoint(jwk)
    assert jwk['use'] == 'sig' and jwk['alg'] == private_key.algorithm
    parsed = keys.parse(jwk)
    assert parsed.kid == private_key.kid == joserfc.jwk.import_key(jwk).thumbprint()
    assert private_key.algorithm in parsed.algorithms and len(parsed.algorithms) == 1


def test_each_key_has_an_id_of_its_own(private_keys):
    assert len({key.kid for key in private_keys.values()}) == len(private_keys)


def test_repr_shows_no_key(private_key):
    assert repr(private_key) == object.__repr__(private_key)


@pytest.mark.parametrize('password', [None, b'a password of odoo.conf'])
def test_dump_and_load(private_key, password):
    text = keys.dump_private(private_key, password)
    assert ('ENCRYPTED' in text) == bool(password)
    assert keys.load_private(text, private_key.algorithm, password).kid == private_key.kid


@pytest.mark.parametrize(
    ('stored', 'given'), [(b'right password', b'wrong password'), (b'right password', None), (None, b'a password')]
)
def test_load_with_another_password(private_keys, stored, given):
    text = keys.dump_private(private_keys['ES256'], stored)
    with pytest.raises(InvalidKey):
        keys.load_private(text, 'ES256', given)


def test_load_as_another_kind(private_keys):
    with pytest.raises(InvalidKey):
        keys.load_private(keys.dump_private(private_keys['ES256']), 'RS256')


def test_without_alg_a_key_takes_those_of_its_kind():
    assert keys.parse(RSA).algorithms == {'RS256', 'PS256'}
    assert keys.parse(P256).algorithms == {'ES256'}
    assert keys.parse(ED25519).algorithms == {'EdDSA', 'Ed25519'}


def _weak_rsa(bits=2048, exponent=65537):
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {'kty': 'RSA', 'n': encoding.encode_integer(numbers.n), 'e': encoding.encode_integer(exponent)}


@pytest.mark.parametrize(
    'jwk',
    [
        None,
        [],
        'text',
        {},
        {'kty': None},
        {'kty': ['RSA']},
        {'kty': 'oct', 'k': 'c2VjcmV0'},
        {'kty': 'oct'},
        {'kty': 'XYZ'},
        {**RSA, 'd': 'AQ'},
        {**RSA, 'p': 'AQ'},
        {**RSA, 'k': 'AQ'},
        {**P256, 'd': 'AQ'},
        {**RSA, 'use': 'enc'},
        {**RSA, 'use': None},
        {**RSA, 'key_ops': ['sign']},
        {**RSA, 'key_ops': 'verify'},
        {**RSA, 'key_ops': 1},
        {**RSA, 'kid': ''},
        {**RSA, 'kid': 1},
        {**RSA, 'kid': 'x' * 257},
        {**RSA, 'alg': 'none'},
        {**RSA, 'alg': 'HS256'},
        {**RSA, 'alg': 'ES256'},
        {**RSA, 'alg': 'RSA-OAEP'},
        {**RSA, 'alg': ['RS256']},
        {**P256, 'alg': 'EdDSA'},
        {'kty': 'RSA', 'e': 'AQAB'},
        {**RSA, 'n': 1},
        {**RSA, 'n': RSA['n'] + '='},
        {**RSA, 'n': 'AA' + RSA['n']},
        {**RSA, 'e': 'AQ'},
        {**RSA, 'e': 'Aw'},
        {**RSA, 'e': encoding.encode_integer(65538)},
        {**RSA, 'e': encoding.encode_integer(2**32 + 1)},
        _weak_rsa(1024),
        {**P256, 'crv': 'P-384'},
        {**P256, 'crv': 'secp256k1'},
        {**P256, 'y': P256['x']},
        {**P256, 'x': encoding.encode(b'\0' * 32), 'y': encoding.encode(b'\0' * 32)},
        {**P256, 'x': encoding.encode(b'\0' + encoding.decode(P256['x']))},
        {**P256, 'crv': None},
        {**ED25519, 'crv': 'X25519'},
        {**ED25519, 'crv': 'Ed448'},
        {**ED25519, 'x': encoding.encode(b'\0' * 31)},
    ],
    ids=lambda jwk: json.dumps(jwk)[-40:],
)
def test_n349_key_that_is_refused(jwk):
    with pytest.raises(InvalidKey):
        keys.parse(jwk)


@pytest.mark.parametrize(('key_type', 'parameter'), [('RSA', 2048), ('EC', 'P-256'), ('OKP', 'Ed25519')])
def test_keys_that_others_made(key_type, parameter):
    """A key of each kind as joserfc writes it."""
    jwk = joserfc.jwk.JWKRegistry.generate_key(key_type, parameter).as_dict(private=False)
    assert isinstance(keys.parse(jwk).key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey))


class TestKeySet:
    def test_order_and_ids(self, private_keys):
        jwks = [key.to_public_jwk() for key in private_keys.values()]
        assert [key.kid for key in key_set.parse(key_set.render(jwks))] == [jwk['kid'] for jwk in jwks]

    def test_keys_of_another_kind_are_passed_over(self):
        foreign = [{'kty': 'XYZ'}, {**P256, 'crv': 'P-384'}, {**RSA, 'use': 'enc'}, 'text', None]
        assert len(key_set.parse({'keys': [*foreign, P256], 'more': 1})) == 1

    @pytest.mark.parametrize(
        'value',
        [
            None,
            [],
            {},
            {'keys': None},
            {'keys': {}},
            {'keys': [P256] * 21},
            {'keys': [{**P256, 'd': 'AQ'}]},
            {'keys': [{'kty': 'oct', 'k': 'AQ'}]},
            {'keys': [{**P256, 'kid': 'a'}, {**RSA, 'kid': 'a'}]},
        ],
        ids=lambda value: json.dumps(value)[:40],
    )
    def test_sets_that_are_refused(self, value):
        with pytest.raises(InvalidKey):
            key_set.parse(value)


def test_pem_is_pkcs8(private_key):
    assert serialization.load_pem_private_key(keys.dump_private(private_key).encode(), None)
