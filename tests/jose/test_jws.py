import hashlib
import hmac
import json
import time

import joserfc.jwk
import joserfc.jwt
import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from jose import encoding, jws, keys
from jose.errors import InvalidJws

CLAIMS = {'iss': 'https://odoo.example.com', 'sub': 'ä"b', 'aud': 'wiki', 'iat': 1_700_000_000, 'n': None, 'x': [1, {}]}


def _sign_raw(header, payload, key, algorithm):
    """Return a token with any header and any bytes inside, signed as the algorithm wants it."""
    message = f'{encoding.encode(header)}.{encoding.encode(payload)}'
    signature = jws.ALGORITHMS[algorithm].sign(key.key, message.encode())
    return f'{message}.{encoding.encode(signature)}'


def _header(key, **changes):
    header = {'alg': key.algorithm, 'kid': key.kid, **changes}
    return json.dumps({name: value for name, value in header.items() if value is not None}).encode()


class TestRoundTrip:
    def test_own(self, private_key):
        token = jws.sign(CLAIMS, private_key, typ='logout+jwt')
        verified = jws.verify(token, [private_key.to_public_key()], typ='logout+jwt')
        assert verified.claims == CLAIMS
        assert verified.header == {'alg': private_key.algorithm, 'kid': private_key.kid, 'typ': 'logout+jwt'}
        assert verified.key.kid == private_key.kid

    def test_without_a_type(self, private_key):
        token = jws.sign(CLAIMS, private_key)
        assert 'typ' not in jws.verify(token, [private_key.to_public_key()]).header

    # joserfc tells that RFC 9864 has a newer name for EdDSA, which few clients know yet.
    @pytest.mark.filterwarnings('ignore:EdDSA is deprecated')
    def test_joserfc_reads_it(self, private_key):
        token = jws.sign(CLAIMS, private_key)
        key = joserfc.jwk.import_key(private_key.to_public_jwk())
        assert joserfc.jwt.decode(token, key, algorithms=[private_key.algorithm]).claims == CLAIMS

    def test_pyjwt_reads_it(self, private_key):
        token = jws.sign(CLAIMS, private_key)
        key = jwt.PyJWK(private_key.to_public_jwk())
        options = {'verify_aud': False, 'verify_iat': False}
        assert jwt.decode(token, key, algorithms=[private_key.algorithm], options=options) == CLAIMS

    @pytest.mark.filterwarnings('ignore:EdDSA is deprecated')
    def test_joserfc_writes_it(self, private_key):
        kind = private_key.to_public_jwk()['kty']
        key = joserfc.jwk.import_key(keys.dump_private(private_key), kind)
        header = {'alg': private_key.algorithm, 'kid': private_key.kid, 'typ': 'JWT'}
        token = joserfc.jwt.encode(header, CLAIMS, key, algorithms=[private_key.algorithm])
        assert jws.verify(token, [private_key.to_public_key()], typ='jwt').claims == CLAIMS

    def test_pyjwt_writes_it(self, private_key):
        token = jwt.encode(
            CLAIMS, keys.dump_private(private_key), private_key.algorithm, headers={'kid': private_key.kid}
        )
        assert jws.verify(token, [private_key.to_public_key()]).claims == CLAIMS

    def test_joserfc_writes_the_newer_name(self, private_keys):
        """`Ed25519` of RFC 9864, which new libraries write."""
        private_key = private_keys['EdDSA']
        key = joserfc.jwk.import_key(keys.dump_private(private_key), 'OKP')
        token = joserfc.jwt.encode({'alg': 'Ed25519'}, CLAIMS, key, algorithms=['Ed25519'])
        jwk = {name: value for name, value in private_key.to_public_jwk().items() if name not in ('alg', 'kid')}
        assert jws.verify(token, [keys.parse(jwk)]).claims == CLAIMS

    def test_rfc_8037_a4(self):
        """The signature is right, and what it covers is no JSON object."""
        key = keys.parse({'kty': 'OKP', 'crv': 'Ed25519', 'x': '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'})
        token = (
            'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhij'
            'cNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'
        )
        with pytest.raises(InvalidJws, match='claims'):
            jws.verify(token, [key])

    def test_a_key_without_id_serves_alone(self, private_key):
        jwk = {name: value for name, value in private_key.to_public_jwk().items() if name != 'kid'}
        token = _sign_raw(_header(private_key, kid=None), b'{}', private_key, private_key.algorithm)
        assert jws.verify(token, [keys.parse(jwk)]).claims == {}


class TestBadSignature:
    def test_of_another_key(self, private_key):
        other = keys.generate(private_key.algorithm)
        token = _sign_raw(_header(private_key), b'{}', other, private_key.algorithm)
        with pytest.raises(InvalidJws, match='signature'):
            jws.verify(token, [private_key.to_public_key()])

    def test_each_part_changed(self, private_key):
        token = jws.sign(CLAIMS, private_key)
        public_key = private_key.to_public_key()
        for position in range(0, len(token), 7):
            for letter in 'Aq.-':
                changed = token[:position] + letter + token[position + 1 :]
                if changed != token:
                    with pytest.raises(InvalidJws):
                        jws.verify(changed, [public_key])

    @given(st.binary(max_size=300))
    def test_made_up(self, signature):
        private_key = keys.PrivateKey('EdDSA', ED25519)
        message = jws.sign(CLAIMS, private_key).rpartition('.')[0]
        with pytest.raises(InvalidJws):
            jws.verify(f'{message}.{encoding.encode(signature)}', [private_key.to_public_key()])

    @pytest.mark.parametrize(
        ('r', 's'),
        [(0, 0), (0, 1), (1, 0), (1, 1), (2**256 - 1, 2**256 - 1)],
    )
    def test_n348_psychic_signature(self, private_keys, r, s):
        private_key = private_keys['ES256']
        message = jws.sign(CLAIMS, private_key).rpartition('.')[0]
        signature = encoding.encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))
        with pytest.raises(InvalidJws, match='signature'):
            jws.verify(f'{message}.{signature}', [private_key.to_public_key()])

    def test_n348_es256_in_der(self, private_keys):
        """The form that X.509 has, and JWS has not."""
        private_key = private_keys['ES256']
        message = jws.sign(CLAIMS, private_key).rpartition('.')[0]
        der = private_key.key.sign(message.encode(), ec.ECDSA(hashes.SHA256()))
        assert decode_dss_signature(der)
        with pytest.raises(InvalidJws, match='signature'):
            jws.verify(f'{message}.{encoding.encode(der)}', [private_key.to_public_key()])

    def test_n348_pss_with_another_salt(self, private_keys):
        private_key = private_keys['PS256']
        message = jws.sign(CLAIMS, private_key).rpartition('.')[0]
        other = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=0)
        signature = private_key.key.sign(message.encode(), other, hashes.SHA256())
        with pytest.raises(InvalidJws, match='signature'):
            jws.verify(f'{message}.{encoding.encode(signature)}', [private_key.to_public_key()])


class TestAlgorithm:
    @pytest.mark.parametrize('alg', ['none', 'None', 'NONE', '', None])
    @pytest.mark.parametrize('signature', ['', 'AA'])
    def test_n348_none(self, private_key, alg, signature):
        header = json.dumps({'alg': alg, 'kid': private_key.kid} if alg is not None else {'kid': private_key.kid})
        token = f'{encoding.encode(header.encode())}.{encoding.encode(b"{}")}.{signature}'
        with pytest.raises(InvalidJws, match='algorithm'):
            jws.verify(token, [private_key.to_public_key()])

    def test_n348_public_key_as_secret(self, private_key):
        """HS256 with the PEM, and with the JWK, of the public key."""
        public = private_key.key.public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        for secret in (pem, json.dumps(private_key.to_public_jwk()).encode()):
            header = encoding.encode(json.dumps({'alg': 'HS256', 'kid': private_key.kid}).encode())
            message = f'{header}.{encoding.encode(b"{}")}'
            signature = encoding.encode(hmac.digest(secret, message.encode(), hashlib.sha256))
            with pytest.raises(InvalidJws, match='algorithm'):
                jws.verify(f'{message}.{signature}', [private_key.to_public_key()])

    @pytest.mark.parametrize(('named', 'used'), [('RS256', 'PS256'), ('PS256', 'RS256')])
    def test_n348_other_than_the_key_says(self, private_keys, named, used):
        """RS256 and PS256 take the same kind of key; the key names one of them."""
        private_key = private_keys[named]
        token = _sign_raw(_header(private_key, alg=used), b'{}', private_key, used)
        with pytest.raises(InvalidJws, match='algorithm'):
            jws.verify(token, [private_key.to_public_key()])

    def test_of_another_kind(self, private_keys):
        token = _sign_raw(_header(private_keys['EdDSA'], alg='ES256'), b'{}', private_keys['EdDSA'], 'EdDSA')
        with pytest.raises(InvalidJws, match='algorithm'):
            jws.verify(token, [private_keys['EdDSA'].to_public_key()])


class TestHeader:
    @pytest.mark.parametrize(
        'header',
        [
            {'crit': ['exp']},
            {'crit': []},
            {'b64': False},
            {'b64': True},
            {'zip': 'DEF'},
            {'jwk': {}},
            {'jku': 'https://evil.example/jwks'},
            {'x5u': 'https://evil.example/cert'},
        ],
        ids=lambda header: next(iter(header)),
    )
    def test_n349_refused(self, private_key, header):
        token = _sign_raw(_header(private_key, **header), b'{}', private_key, private_key.algorithm)
        with pytest.raises(InvalidJws, match='header'):
            jws.verify(token, [private_key.to_public_key()])

    def test_n349_own_key_in_the_header(self, private_keys):
        """Signed with the key that it brings along (CVE-2026-27962)."""
        attacker = keys.generate('ES256')
        header = _header(attacker, jwk=attacker.to_public_jwk())
        token = _sign_raw(header, b'{}', attacker, 'ES256')
        with pytest.raises(InvalidJws):
            jws.verify(token, [private_keys['ES256'].to_public_key()])

    def test_n349_certificate_is_not_looked_at(self, private_key):
        header = _header(private_key, x5c=['MII…'], x5t='abc')
        token = _sign_raw(header, b'{}', private_key, private_key.algorithm)
        assert jws.verify(token, [private_key.to_public_key()])

    @pytest.mark.parametrize('kid', ['../../etc/passwd', "' OR 1=1 --", '', 'x' * 800])
    def test_n349_kid_is_only_compared(self, private_key, kid):
        token = _sign_raw(_header(private_key, kid=kid), b'{}', private_key, private_key.algorithm)
        with pytest.raises(InvalidJws, match='key of the token'):
            jws.verify(token, [private_key.to_public_key()])

    @pytest.mark.parametrize('kid', [1, [], {}, True])
    def test_n349_kid_of_another_kind(self, private_key, kid):
        token = _sign_raw(_header(private_key, kid=kid), b'{}', private_key, private_key.algorithm)
        with pytest.raises(InvalidJws, match='malformed'):
            jws.verify(token, [private_key.to_public_key()])

    def test_n349_long(self, private_key):
        header = _header(private_key, kid='x' * 2000)
        with pytest.raises(InvalidJws, match='too long'):
            jws.verify(_sign_raw(header, b'{}', private_key, private_key.algorithm), [private_key.to_public_key()])

    def test_member_twice(self, private_key):
        header = f'{{"alg":"none","alg":"{private_key.algorithm}","kid":"{private_key.kid}"}}'.encode()
        with pytest.raises(InvalidJws, match='malformed'):
            jws.verify(_sign_raw(header, b'{}', private_key, private_key.algorithm), [private_key.to_public_key()])

    @pytest.mark.parametrize('typ', [None, 'JWT', 'at+jwt', 'application/at+jwt', 'logout+jwt '])
    def test_another_type(self, private_key, typ):
        token = _sign_raw(_header(private_key, typ=typ), b'{}', private_key, private_key.algorithm)
        with pytest.raises(InvalidJws, match='type'):
            jws.verify(token, [private_key.to_public_key()], typ='logout+jwt')

    @pytest.mark.parametrize('typ', ['logout+jwt', 'LOGOUT+JWT', 'application/logout+jwt'])
    def test_spellings_of_a_type(self, private_key, typ):
        token = _sign_raw(_header(private_key, typ=typ), b'{}', private_key, private_key.algorithm)
        assert jws.verify(token, [private_key.to_public_key()], typ='logout+jwt')


class TestKeys:
    def test_no_key(self, private_key):
        with pytest.raises(InvalidJws, match='key of the token'):
            jws.verify(jws.sign({}, private_key), [])

    def test_without_an_id_among_several(self, private_keys):
        private_key = private_keys['ES256']
        token = _sign_raw(_header(private_key, kid=None), b'{}', private_key, 'ES256')
        public_keys = [key.to_public_key() for key in private_keys.values()]
        with pytest.raises(InvalidJws, match='key of the token'):
            jws.verify(token, public_keys)

    def test_chosen_by_id(self, private_keys):
        public_keys = [key.to_public_key() for key in private_keys.values()]
        chosen = [jws.verify(jws.sign({}, private_key), public_keys).key.kid for private_key in private_keys.values()]
        assert chosen == [private_key.kid for private_key in private_keys.values()]


class TestForm:
    @pytest.mark.parametrize(
        'token',
        [
            '',
            '.',
            '..',
            '...',
            'a.b',
            'a.b.c.d',
            'a.b.c.d.e',
            None,
            b'a.b.c',
            1,
            '{"payload": ""}',
            'ä.b.c',
            'e30.e30.',
        ],
        ids=repr,
    )
    def test_no_compact_jws(self, private_key, token):
        with pytest.raises(InvalidJws):
            jws.verify(token, [private_key.to_public_key()])

    def test_too_long(self, private_key):
        token = jws.sign({'x': 'x' * jws.MAX_TOKEN}, private_key)
        with pytest.raises(InvalidJws):
            jws.verify(token, [private_key.to_public_key()])

    @pytest.mark.parametrize('payload', [b'', b'[]', b'"a"', b'{"a":1,"a":2}', b'{"exp":1e999}', b'\xff'])
    def test_claims_that_are_no_object(self, private_key, payload):
        token = _sign_raw(_header(private_key), payload, private_key, private_key.algorithm)
        with pytest.raises(InvalidJws, match='claims'):
            jws.verify(token, [private_key.to_public_key()])

    def test_claims_are_not_read_before_the_signature(self, private_key):
        header, _payload, signature = jws.sign({}, private_key).split('.')
        with pytest.raises(InvalidJws, match='signature'):
            jws.verify(f'{header}.{encoding.encode(b"[" * 1000)}.{signature}', [private_key.to_public_key()])

    @pytest.mark.parametrize(('before', 'after'), [(' ', ''), ('', '\n'), ('', '=')])
    def test_blank_around(self, private_key, before, after):
        with pytest.raises(InvalidJws):
            jws.verify(before + jws.sign({}, private_key) + after, [private_key.to_public_key()])

    def test_repr_shows_nothing(self, private_key):
        verified = jws.verify(jws.sign(CLAIMS, private_key), [private_key.to_public_key()])
        assert repr(verified) == object.__repr__(verified)


def test_expiry_is_the_callers_to_check(private_key):
    token = jws.sign({'exp': int(time.time()) - 1000}, private_key)
    assert jws.verify(token, [private_key.to_public_key()])


ED25519 = keys.generate('EdDSA').key
