"""The measured requests, as an application sends them, and the responses that they must get."""

import json
import random
import threading
import urllib.parse

from dev.workbench.oauth2_client import encode_form, request_refresh, request_tokens
from oauth2 import metadata

from .closed_loop import CLIENTS, Refused, render

#: The fields of partners that are read, over the records API and over JSON-2.
FIELDS = ('name', 'email', 'phone', 'city', 'zip')


class Fixed:
    """The same request each time.

    :param bytes content: the request
    :param bytes expected: text that the response must contain
    """

    def __init__(self, content, expected=b''):
        self.content = content
        self.expected = expected

    def render(self):
        return self.content

    def read(self, body):
        if self.expected not in body:
            raise Refused(f"Not the expected answer: {body[:300].decode(errors='replace')}")


class Introspect:
    """Introspection of a token chosen at random.

    :param get_token: returns the next token
    """

    def __init__(self, path, application, get_token):
        self.path = path
        self.application = application
        self.get_token = get_token

    def render(self):
        return render('POST', self.path, *encode_form(self.application, {'token': self.get_token()}))

    def read(self, body):
        if json.loads(body)['active'] is not True:
            raise Refused(f"A valid token was reported as inactive ({self.path}): {body[:200]}")


class Refresh:
    """Refreshes many sign-ins in turn, each with the refresh token of its last response.

    :param list tokens: the current refresh tokens
    """

    def __init__(self, path, application, tokens):
        self.path = path
        self.application = application
        self.tokens = tokens
        self.turn = -1

    def render(self):
        self.turn = (self.turn + 1) % len(self.tokens)
        return render('POST', self.path, *encode_form(self.application, request_refresh(self.tokens[self.turn])))

    def read(self, body):
        self.tokens[self.turn] = json.loads(body)['refresh_token']


class Redeem:
    """Exchanges of authorization codes for tokens.

    :param codes: an iterator that all clients share
    :param expected: the members that the answer must have
    """

    lock = threading.Lock()

    def __init__(self, path, application, codes, verifier, expected):
        self.path = path
        self.application = application
        self.codes = codes
        self.verifier = verifier
        self.expected = expected

    def render(self):
        with self.lock:
            code = next(self.codes, None)
        if code is None:
            raise Refused("There are more exchanges than codes were prepared for.")
        parameters = request_tokens(code, self.application.redirect_uri, self.verifier)
        return render('POST', self.path, *encode_form(self.application, parameters))

    def read(self, body):
        if missing := self.expected - json.loads(body).keys():
            raise Refused(f"The answer lacks {', '.join(sorted(missing))}.")


class Bearer:
    """Calls of an API with a bearer token chosen at random.

    :param get_token: returns the next token
    :param bytes expected: text that the response must contain
    """

    def __init__(self, method, path, get_token, body=b'', expected=b''):
        self.method = method
        self.path = path
        self.get_token = get_token
        self.body = body
        self.expected = expected

    def render(self):
        headers = {'Authorization': f'Bearer {self.get_token()}'}
        if self.body:
            headers['Content-Type'] = 'application/json'
        return render(self.method, self.path, headers, self.body)

    def read(self, body):
        if self.expected not in body:
            raise Refused(f"Not the expected answer: {body[:300].decode(errors='replace')}")


def health():
    return [Fixed(render('GET', '/web/health'), b'pass')] * CLIENTS


def json2(get_token, partners):
    """Return the clients that read partners over Odoo's own API."""
    body = json.dumps({'ids': partners.ids, 'fields': FIELDS}).encode()
    return [Bearer('POST', '/json/2/res.partner/read', get_token, body, partners.expected)] * CLIENTS


def records(get_token, partners):
    """Return the clients that read partners over the records API."""
    path = '/orestapi/1/records/res.partner?' + urllib.parse.urlencode({
        'ids': ','.join(map(str, partners.ids)),
        'fields': ','.join(FIELDS),
    })
    return [Bearer('GET', path, get_token, expected=partners.expected)] * CLIENTS


def introspect(application, get_token, path=metadata.INTROSPECTION_ENDPOINT):
    return [Introspect(path, application, get_token)] * CLIENTS


def refresh(application, tokens, path=metadata.TOKEN_ENDPOINT):
    """Return the clients that refresh sign-ins.

    :param list tokens: current refresh tokens, which are divided among the clients
    """
    random.shuffle(tokens)
    return [Refresh(path, application, tokens[number::CLIENTS]) for number in range(CLIENTS)]


def redeem(application, codes, verifier, path=metadata.TOKEN_ENDPOINT, openid=False):
    """Return the clients that exchange codes for tokens.

    :param codes: authorization codes, which the clients share
    :param bool openid: whether an ID token must come too
    """
    codes = iter(codes)
    expected = {'access_token', 'refresh_token', *(['id_token'] if openid else [])}
    return [Redeem(path, application, codes, verifier, expected) for _number in range(CLIENTS)]


def userinfo(get_token):
    """Return the clients that ask who the user of a token is."""
    return [Bearer('GET', '/oauth2/userinfo', get_token, expected=b'"sub"')] * CLIENTS


def openid_configuration():
    return [Fixed(render('GET', '/.well-known/openid-configuration'), b'"jwks_uri"')] * CLIENTS


def jwks():
    return [Fixed(render('GET', '/oauth2/jwks'), b'"kid"')] * CLIENTS
