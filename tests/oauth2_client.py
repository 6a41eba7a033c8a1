"""The requests of an OAuth 2.0 client and of its user's browser as plain values, and how to read the responses.

Each caller sends them in its own way: `HttpCase.url_open` here, requests and a socket in dev/. The module is in tests/,
because the wheel contains tests/ and not dev/. It must not import other modules of the addon or Odoo:
dev/workbench/oauth2_client.py loads it as a file, because importing the package `tests` needs Odoo.
"""

import base64
import functools
import hashlib
import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

FORM = 'application/x-www-form-urlencoded'

#: The example of RFC 7636, appendix B.
VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'


def change(parameters, changes):
    """Return a dict of parameters with changes; None leaves one out."""
    return {name: value for name, value in {**parameters, **changes}.items() if value is not None}


def request_authorization(client_id, redirect_uri, verifier=VERIFIER, /, **changes):
    """Return the parameters of a good authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3), with changes."""
    # Computed as a client would, and not by the code under test.
    digest = hashlib.sha256(verifier.encode()).digest()
    parameters = {
        'response_type': 'code',
        'client_id': client_id,
        'redirect_uri': redirect_uri,
        'scope': 'read',
        'state': 'state of the application',
        'code_challenge': base64.urlsafe_b64encode(digest).decode().rstrip('='),
        'code_challenge_method': 'S256',
    }
    return change(parameters, changes)


def get_authorization_path(*args, **kwargs):
    """Return the path of an authorization request, with its parameters as the query."""
    return f'/oauth2/authorize?{urlencode(request_authorization(*args, **kwargs))}'


def request_tokens(code, redirect_uri, verifier=VERIFIER):
    """Return the parameters that redeem a code (RFC 6749 §4.1.3)."""
    return {
        'grant_type': 'authorization_code',
        'code': code,
        'redirect_uri': redirect_uri,
        'code_verifier': verifier,
    }


def request_refresh(refresh_token):
    """Return the parameters of a refresh (RFC 6749 §6)."""
    return {'grant_type': 'refresh_token', 'refresh_token': refresh_token}


def encode_basic(pair):
    """Return the value of `Authorization` for a pair, str or bytes, that is joined and encoded already."""
    return 'Basic ' + base64.b64encode(pair.encode() if isinstance(pair, str) else pair).decode()


@functools.cache
def get_basic(client_id, client_secret):
    """Return the value of `Authorization` for HTTP Basic, with both parts form-encoded (RFC 6749 §2.3.1)."""
    return encode_basic(urlencode({client_id: client_secret}).replace('=', ':', 1))


def encode_form(application, parameters):
    """Return header fields and body of the form of an application that authenticates as it is registered.

    :param application: has a `client_id`, and a `client_secret` that is None for a public client
    """
    headers = {'Content-Type': FORM}
    if application.client_secret:
        headers['Authorization'] = get_basic(application.client_id, application.client_secret)
    else:
        parameters = {**parameters, 'client_id': application.client_id}
    return headers, urlencode(parameters).encode()


def read_form(page):
    """Return the address of the first form of a page, and all hidden fields of the page."""
    action = re.search(r'<form[^>]*action="([^"]*)"', page)
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return html.unescape(action[1]), {name: html.unescape(value) for name, value in fields}


def read_code(location):
    """Return the code of an authorization response, or None."""
    [code] = parse_qs(urlsplit(location).query).get('code', [None])
    return code
