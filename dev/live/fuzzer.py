"""Requests that no honest client would send, reproducible by a seed."""

import json
import random
import string
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from dev.workbench import oauth2_client, wire

METHODS = ('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'PROPFIND')
PARAMETERS = (
    'grant_type', 'code', 'redirect_uri', 'code_verifier', 'refresh_token', 'client_id', 'client_secret', 'scope',
    'token', 'token_type_hint', 'response_type', 'state', 'code_challenge', 'code_challenge_method', 'prompt',
    'decision', 'consent', 'csrf_token', 'access_token', 'limit', 'offset', 'order', 'fields', 'filter', 'cursor',
    'model', 'ids', 'id', 'name', 'domain', 'operator', 'self', 'cls', 'context', 'debug', 'lang', 'db', '',
)  # fmt: skip
VALUES = (
    'authorization_code', 'refresh_token', 'client_credentials', 'password', 'code', 'token', 'S256', 'plain', 'read',
    'read rpc', 'none', 'allow', 'res.partner', 'res.users', 'ir.config_parameter', 'name', 'id desc', '1', '0', '-1',
    '9' * 30, '1e9', 'NaN', 'true', 'null', '', ' ', '[]', '{}', '[[[[', '[["id","=",1]]', '{"id": {"$gt": 1}}',
    "' OR 1=1 --", '%s %(a)s {0} {a!r}', '../../etc/passwd', '\0', '\r\nSet-Cookie: a=b', '\ud800', 'ünïcode',
    '\u202e', '𝒳', 'javascript:alert(1)', 'https://evil.example/', 'orestapi_at_1_x', 'orestapi_rt_1_1_x_x',
    'orestapi_ac_99999999999999999999_x', 'orestapi_at_-1_', 'orestapi_', 'a' * 3000,
)  # fmt: skip
MEDIA_TYPES = (
    'application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-7', 'application/json',
    'multipart/form-data', 'multipart/form-data; boundary=x', 'text/plain', '', 'x' * 300, 'application/xml; =;',
)  # fmt: skip
HEADERS = (
    'Authorization', 'Accept', 'Accept-Language', 'Origin', 'Cookie', 'If-None-Match', 'If-Modified-Since', 'Range',
    'X-Forwarded-For', 'X-Forwarded-Host', 'X-HTTP-Method-Override', 'X-Odoo-Database', 'User-Agent', 'Referer',
    'Content-Encoding', 'Expect', 'DPoP',
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """Facts about the server, so that some requests of the fuzzer pass the first check.

    :ivar endpoints: pairs of a path and the methods that it supports
    """

    endpoints: tuple
    application: object
    tokens: dict
    cookie: str


class Fuzzer:
    """Builds one malformed request after the other."""

    def __init__(self, seed, known):
        """
        :param seed: the same seed gives the same requests for the same `Known`
        :param Known known: valid values for parts of the requests
        """
        self.random = random.Random(seed)
        self.known = known

    def _maybe(self, probability):
        return self.random.random() < probability

    def _noise(self, longest=60):
        alphabet = self.random.choice((string.printable, string.ascii_letters, 'äß€𝒳\0\x7f%&=+;#/?', '%0aZ'))
        return ''.join(self.random.choices(alphabet, k=self.random.randrange(longest)))

    def _value(self):
        kind = self.random.randrange(10)
        if kind < 5:
            return self.random.choice(VALUES)
        if kind < 7:
            return self._noise()
        secret = self.random.choice([
            self.known.application.client_id,
            self.known.application.redirect_uri,
            *self.known.tokens.values(),
        ])
        if kind == 7:
            return str(secret)
        return self._damage(str(secret))

    def _damage(self, text):
        position = self.random.randrange(len(text) + 1)
        return self.random.choice((
            text[:position],
            text[position:],
            text[:position] + self._noise(5) + text[position:],
            text * 2,
            text.swapcase(),
            text + ' ',
            f'\ufeff{text}',
        ))

    def _parameters(self):
        pairs = [
            (self.random.choice(PARAMETERS) if self._maybe(0.95) else self._noise(20), self._value())
            for _number in range(self.random.randrange(7))
        ]
        if pairs and self._maybe(0.1):
            pairs.append((pairs[0][0], self._value()))
        return '&'.join(f'{self._encode(name)}={self._encode(value)}' for name, value in pairs)

    def _encode(self, text):
        text = text.encode('utf-8', 'surrogatepass')
        if self._maybe(0.05):
            return quote(text)[:-1] + self.random.choice(('%', '%f', '%zz', '%ff%fe', '%00'))
        return quote_plus(text)

    def _path(self, path):
        while '<' in path:
            start, _bracket, rest = path.partition('<')
            value = self.random.choice(('res.partner', '1', '0', '-1', '9' * 25, 'x', self._noise(12) or '-'))
            path = start + quote(value.encode('utf-8', 'surrogatepass'), safe='') + rest.partition('>')[2]
        if self._maybe(0.05):
            path += self.random.choice(('/', '//', '/..', '%00', '%ff', ';a=b', '.json', '/%2e%2e/'))
        return path

    def _authorization(self):
        application, tokens = self.known.application, self.known.tokens
        # About half of the values are right, here and below, to reach the code behind a check.
        if self._maybe(0.6):
            return self.random.choice((
                oauth2_client.get_basic(application.client_id, application.client_secret),
                f"Bearer {tokens['access_token']}",
            ))
        return self.random.choice((
            oauth2_client.encode_basic(f'{application.client_id}:{self._damage(application.client_secret)}'),
            oauth2_client.encode_basic(f'{self._noise()}:{self._noise()}'),
            f"Bearer {tokens['refresh_token']}",
            f"Bearer {self._damage(tokens['access_token'])}",
            f"bearer  {tokens['access_token']} {self._noise()}",
            'Basic',
            'Basic !!!',
            'Basic Og==',
            'Bearer',
            'Negotiate x',
            'Digest a=b',
            self._noise(),
            '',
        ))

    def _headers(self):
        headers = {}
        if self._maybe(0.8):
            headers['Content-Type'] = self.random.choice(MEDIA_TYPES) if self._maybe(0.4) else MEDIA_TYPES[0]
        if self._maybe(0.7):
            headers['Authorization'] = self._authorization()
        if self._maybe(0.1):
            headers['Cookie'] = self.known.cookie
        while self._maybe(0.25):
            headers[self.random.choice(HEADERS)] = self._value()[:1000]
        # A line break would split the request into two.
        return {
            name: value.translate({10: ' ', 13: ' '}).encode('utf-8', 'replace').decode('latin-1')
            for name, value in headers.items()
        }

    def _body(self):
        kind = self.random.randrange(8)
        if kind < 5:
            return self._parameters().encode()
        if kind == 5:
            return json.dumps({self.random.choice(PARAMETERS): self._value() for _number in range(3)}).encode()
        if kind == 6:
            return self.random.randbytes(self.random.randrange(300))
        return b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + self._value().encode('utf-8', 'replace')

    def make(self):
        """Return the bytes of the next request."""
        path, methods = self.random.choice(self.known.endpoints)
        method, path = self.random.choice(METHODS if self._maybe(0.15) else methods), self._path(path)
        has_body = method in ('POST', 'PUT', 'PATCH')
        if self._maybe(0.1 if has_body else 0.6):
            path += '?' + self._parameters()
        body = self._body() if has_body else b''
        return wire.render(method, path, self._headers(), body)
