"""A relying party, and the checks that the OpenID conformance suite makes in each of its modules.

The suite (openid-certification/conformance-suite) needs Java and MongoDB. The tests `test_oidcc_…` are named after its
modules, send what those send, and assert what those assert, also where the suite would only warn. joserfc verifies the
ID tokens, because a fault of `jose/` must not hide itself.
"""

import base64
import collections
import dataclasses
import hashlib
import html
import math
import re
import secrets
import time
import warnings
from urllib.parse import parse_qs, urljoin, urlsplit

import joserfc.jwk
import joserfc.jws
import joserfc.jwt
import requests

from dev.workbench.oauth2_client import get_basic, read_form
from dev.workbench.odoo_server import LOGIN, PASSWORD

CALLBACK = 'https://suite.example.com/test/a/orestapi/callback'

#: Pages that a person may be shown, in `Answer.pages`.
LOGIN_PAGE, PASSWORD_PAGE, CONSENT_PAGE = 'login', 'password', 'consent'

#: RFC 6749 §4.1.2.1: what `error` and `error_description` may consist of.
ALLOWED = re.compile(r'[\x20\x21\x23-\x5B\x5D-\x7E]+')

#: Seconds that a token may be old, as the suite has it.
FRESH = 5 * 60

#: The type of each claim of Core §5.1 that this server knows.
CLAIM_TYPES = {
    'sub': str,
    'name': str,
    'preferred_username': str,
    'picture': str,
    'locale': str,
    'zoneinfo': str,
    'updated_at': int,
    'email': str,
    'email_verified': bool,
    'phone_number': str,
    'groups': list,
}


@dataclasses.dataclass
class Answer:
    """The response to an authorization request, and how the user came to it.

    :ivar dict parameters: those of the response; empty when the browser stayed at the server
    :ivar list pages: what the user was shown
    :ivar page: the last page, when the browser stayed at the server
    """

    request: dict
    parameters: dict
    pages: list
    page: requests.Response | None = None

    @property
    def code(self):
        assert 'error' not in self.parameters, self.parameters
        return self.parameters['code']


class Person:
    """A person with a browser of their own, who fills in each page as it comes.

    :param Provider provider: the server
    """

    def __init__(self, provider, login=LOGIN, password=PASSWORD):
        self.provider = provider
        self.login = login
        self.password = password
        self.browser = requests.Session()

    def open(self, answer):
        """Go on from an answer of the server, until the browser leaves it or there is nothing more to press.

        :return: the last answer, and the names of the pages
        """
        pages = []
        for _step in range(12):
            location = answer.headers.get('Location')
            if answer.status_code == 303 and location:
                location = urljoin(answer.url, location)
                if not location.startswith(f'{self.provider.url}/'):
                    return answer, pages
                answer = self.browser.get(location, allow_redirects=False)
                continue
            fields = self._fill_in(answer, pages)
            if fields is None:
                return answer, pages
            action, hidden = read_form(answer.text)
            answer = self.browser.post(urljoin(answer.url, action), data={**hidden, **fields}, allow_redirects=False)
        raise AssertionError(f"The browser goes round in circles: {answer.url}")

    def _fill_in(self, answer, pages):
        """Return what the person enters on a page, and note its name; None for a page without a form to fill in."""
        for page, mark, fields in (
            (LOGIN_PAGE, 'name="login"', {'login': self.login, 'password': self.password}),
            (PASSWORD_PAGE, 'id="password"', {'password': self.password}),
            (CONSENT_PAGE, 'name="consent"', {'decision': 'allow'}),
        ):
            if answer.status_code == 200 and mark in answer.text:
                assert pages[-1:] != [page], f"The page {page} came once more: {answer.text}"
                pages.append(page)
                return fields
        return None

    def authorize(self, request, method='GET'):
        """Send an authentication request with the browser, and return an `Answer`.

        :param dict request: its parameters
        """
        endpoint = self.provider.metadata['authorization_endpoint']
        if method == 'GET':
            answer = self.browser.get(endpoint, params=request, allow_redirects=False)
        else:
            answer = self.browser.post(endpoint, data=request, allow_redirects=False)
        answer, pages = self.open(answer)
        if answer.status_code != 303:
            return Answer(request, {}, pages, answer)
        return Answer(request, read_response(self.provider, request, answer.headers['Location']), pages)

    def open_logout(self, **parameters):
        """Open the `end_session_endpoint`, and return the first answer."""
        return self.browser.get(
            self.provider.metadata['end_session_endpoint'], params=parameters, allow_redirects=False
        )


class Provider:
    """The server as an application knows it: by its issuer."""

    def __init__(self, live):
        self.live = live
        self.url = live.url
        self.metadata = requests.get(f'{live.url}/.well-known/openid-configuration', timeout=30).json()

    def fetch_keys(self):
        """Return the key set, checked as in each module."""
        answer = requests.get(self.metadata['jwks_uri'], timeout=30)
        keys = answer.json()['keys']
        ids = [key['kid'] for key in keys]
        assert len(set(ids)) == len(ids), f"Two keys have one kid: {ids}"
        for key in keys:
            assert key['kty'] in ('RSA', 'EC', 'OKP'), "A symmetric key is published."
            assert not {'d', 'p', 'q', 'dp', 'dq', 'qi', 'k'} & set(key), "A private key is published."
            assert key.get('use', 'sig') == 'sig'
            for member in ('n', 'e', 'x', 'y'):
                # RFC 7515 §2: without padding, line breaks or blanks
                assert re.fullmatch(r'[A-Za-z0-9_-]+', key.get(member, 'x')), key
        return answer.json()


class RelyingParty:
    """An application as the suite is one: it sends `state` and `nonce`, and no PKCE unless a module wants it."""

    def __init__(self, provider, application, authentication='basic'):
        self.provider = provider
        self.application = application
        self.authentication = authentication

    @property
    def client_id(self):
        return self.application.client_id

    def get_request(self, **changes):
        """Return the parameters of a good authentication request, with changes; None leaves one out."""
        parameters = {
            'client_id': self.client_id,
            'redirect_uri': self.application.redirect_uri,
            'scope': 'openid',
            'state': secrets.token_urlsafe(10),
            'nonce': secrets.token_urlsafe(10),
            'response_type': 'code',
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def post_token(self, **parameters):
        """Send a token request, authenticated as the party does."""
        headers = {}
        if self.authentication == 'basic':
            headers['Authorization'] = get_basic(self.client_id, self.application.client_secret)
        else:
            parameters |= {'client_id': self.client_id, 'client_secret': self.application.client_secret}
        return requests.post(self.provider.metadata['token_endpoint'], headers=headers, data=parameters, timeout=30)

    def redeem(self, answer, **changes):
        return self.post_token(
            grant_type='authorization_code',
            code=answer.code,
            redirect_uri=self.application.redirect_uri,
            **changes,
        )

    def complete(self, answer, **changes):
        """Redeem the code of an answer, check all that is checked in each module, and return `Tokens`."""
        response = self.redeem(answer, **changes)
        tokens = check_token_response(self, response)
        claims = check_id_token(self, tokens['id_token'], answer.request.get('nonce'), tokens['access_token'])
        userinfo = check_userinfo(self.fetch_userinfo(tokens['access_token']), claims)
        return Tokens(tokens, claims, userinfo)

    def fetch_userinfo(self, access_token):
        return requests.get(
            self.provider.metadata['userinfo_endpoint'],
            headers={'Authorization': f'Bearer {access_token}'},
            timeout=30,
        )

    def run(self, person, **changes):
        """Go through the whole flow, and return the `Answer` and the `Tokens`."""
        answer = person.authorize(self.get_request(**changes))
        return answer, self.complete(answer)


@dataclasses.dataclass
class Tokens:
    """What the party has after the flow: the token response, the claims of the ID token, and those of UserInfo."""

    response: dict
    claims: dict
    userinfo: dict


def make_challenge(verifier):
    """Return the parameters of PKCE (RFC 7636 §4.3)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return {
        'code_challenge': base64.urlsafe_b64encode(digest).decode().rstrip('='),
        'code_challenge_method': 'S256',
    }


def read_response(provider, request, location):
    """Return the parameters of an authorization response, checked as in each module."""
    uri = urlsplit(location)
    registered = urlsplit(request['redirect_uri'])
    assert (uri.scheme, uri.netloc, uri.path) == registered[:3], location
    assert not uri.fragment, location
    values = parse_qs(uri.query, keep_blank_values=True, strict_parsing=True)
    assert all(len(each) == 1 for each in values.values()), location
    parameters = {name: each[0] for name, each in values.items()}
    for name, value in parse_qs(registered.query).items():
        assert [parameters.pop(name)] == value, location
    assert parameters.get('state') == request.get('state')
    # RFC 9207 §2.4
    assert provider.metadata['authorization_response_iss_parameter_supported'] is True
    assert parameters['iss'] == provider.metadata['issuer']
    if 'error' in parameters:
        assert set(parameters) <= {'error', 'error_description', 'error_uri', 'state', 'iss'}, parameters
        check_error(parameters)
    else:
        assert set(parameters) <= {'code', 'state', 'iss'}, parameters
        assert len(parameters['code']) >= 22
    return parameters


def check_error(parameters):
    for name in ('error', 'error_description'):
        assert ALLOWED.fullmatch(parameters.get(name, 'x')), parameters


def check_error_response(response, error, status=400):
    """Check an error of the token endpoint (RFC 6749 §5.2)."""
    assert response.status_code == status, response.text
    assert response.headers['Content-Type'].partition(';')[0] == 'application/json'
    assert response.headers['Cache-Control'] == 'no-store'
    parameters = response.json()
    assert set(parameters) <= {'error', 'error_description', 'error_uri'}
    check_error(parameters)
    assert parameters['error'] == error, parameters


def check_token_response(party, response):
    """Return the parameters of a token response (RFC 6749 §5.1), checked as in each module."""
    assert response.status_code == 200, response.text
    assert response.headers['Content-Type'].partition(';')[0] == 'application/json'
    assert response.headers['Cache-Control'] == 'no-store'
    assert response.headers['Pragma'] == 'no-cache'
    tokens = response.json()
    party.provider.live.note(tokens['access_token'], tokens['refresh_token'])
    assert tokens['token_type'].lower() == 'bearer'
    assert type(tokens['expires_in']) is int and tokens['expires_in'] > 0
    for name in ('access_token', 'refresh_token'):
        # RFC 6749, appendix A.12 and A.17
        assert re.fullmatch(r'[\x20-\x7E]+', tokens[name])
        assert estimate_entropy(tokens[name]) > 128, f"{name} could be guessed."
    return tokens


def estimate_entropy(text):
    """Return the bits that the letters of a text carry, as the suite estimates them."""
    count = collections.Counter(text)
    return -sum(number * math.log2(number / len(text)) for number in count.values())


def check_id_token(party, id_token, nonce=None, access_token=None):
    """Return the claims of an ID token, checked as in each module (Core §3.1.3.7).

    :param nonce: that of the request; None when there was none
    :param access_token: the one that came with it, for `at_hash`
    """
    metadata = party.provider.metadata
    keys = party.provider.fetch_keys()
    header = joserfc.jws.extract_compact(id_token.encode()).headers()
    [key] = [key for key in keys['keys'] if key['kid'] == header['kid']]
    assert header['alg'] == key['alg']
    assert header['alg'] in metadata['id_token_signing_alg_values_supported']
    with warnings.catch_warnings():
        # RFC 9864 has a newer name for EdDSA.
        warnings.simplefilter('ignore')
        key_set = joserfc.jwk.KeySet.import_key_set(keys)
        claims = joserfc.jwt.decode(id_token, key_set, algorithms=[header['alg']]).claims
    now = time.time()
    assert claims['iss'] == metadata['issuer']
    assert claims['aud'] in (party.client_id, [party.client_id])
    assert claims.get('azp', party.client_id) == party.client_id
    for name in ('iat', 'exp', 'auth_time'):
        # In seconds, not in milliseconds.
        assert type(claims[name]) is int and claims[name] < 10_000_000_000, claims
    assert now - FRESH < claims['iat'] <= now + 1
    assert claims['exp'] > now
    assert claims['auth_time'] <= claims['iat']
    assert claims['auth_time'] > now - 24 * 60 * 60
    assert claims.get('nonce') == nonce
    # Core §2
    assert claims['sub'].isascii() and 1 <= len(claims['sub']) <= 255
    assert claims['acr'] and isinstance(claims['acr'], str)
    assert claims['amr'] and all(isinstance(method, str) for method in claims['amr'])
    if access_token:
        hash_name = {'RS256': 'sha256', 'ES256': 'sha256', 'EdDSA': 'sha512'}[header['alg']]
        digest = hashlib.new(hash_name, access_token.encode()).digest()
        half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip('=')
        assert claims['at_hash'] == half
    check_claims(claims)
    return claims


def check_claims(claims):
    """Check the types of claims (Core §5.1, §5.3.2)."""
    for name, value in claims.items():
        assert value is not None and value != '', f"{name} has no value: it must be left out."
        if name in CLAIM_TYPES:
            assert type(value) is CLAIM_TYPES[name], (name, value)


def check_userinfo(response, claims):
    """Return the claims of UserInfo, checked as in each module (Core §5.3.2)."""
    assert response.status_code == 200, response.text
    assert response.headers['Content-Type'].partition(';')[0] == 'application/json'
    userinfo = response.json()
    assert userinfo['sub'] == claims['sub']
    check_claims(userinfo)
    return userinfo


def get_value(page, name):
    """Return the value of a field of a page, or None."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    value = found and re.search(r'value="([^"]*)"', found[0])
    return html.unescape(value[1]) if value else None
