"""A script that reads partners as the user who allowed it. Needs `pip install authlib requests`.

It does what any application does: it finds the endpoints, sends the browser to
the authorization endpoint, receives the code on a loopback address (RFC 8252
§7.3), exchanges it for tokens with PKCE, calls Odoo with the access token, and
refreshes it.

    python authlib_client.py --url http://127.0.0.1:8069 --client-id … --client-secret=…
"""

import argparse

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from callback import Callback, get_parameters


def discover(session, url):
    """Return the server's metadata (RFC 8414), which names the endpoints."""
    response = session.request('GET', f'{url}/.well-known/oauth-authorization-server', withhold_token=True)
    response.raise_for_status()
    metadata = response.json()
    if metadata['issuer'] != url:
        raise SystemExit(f"{url} calls itself {metadata['issuer']}. Use that address, or set the issuer in Odoo.")
    return metadata


def authorize(session, metadata):
    """Let the user allow this script in the browser, and return the tokens."""
    callback = Callback()
    session.redirect_uri = callback.uri
    verifier = generate_token(48)
    uri, state = session.create_authorization_url(metadata['authorization_endpoint'], code_verifier=verifier)
    response = callback.ask(uri)
    get_parameters(response, metadata['issuer'])
    return session.fetch_token(
        metadata['token_endpoint'], authorization_response=response, state=state, code_verifier=verifier
    )


def read_partners(session, url):
    """Read five partners through Odoo's own API, with the rights of the user."""
    response = session.post(
        f'{url}/json/2/res.partner/search_read',
        json={'domain': [], 'fields': ['name', 'email'], 'limit': 5, 'order': 'id'},
    )
    response.raise_for_status()
    for partner in response.json():
        print(f"  {partner['name']} <{partner['email'] or 'no e-mail'}>", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Read five partners from Odoo as the user who allows it.")
    parser.add_argument('--url', required=True, help="the address of Odoo, for example http://127.0.0.1:8069")
    parser.add_argument('--client-id', required=True)
    parser.add_argument('--client-secret', help="leave it out for a public application")
    arguments = parser.parse_args()
    url = arguments.url.rstrip('/')
    session = OAuth2Session(
        arguments.client_id,
        arguments.client_secret,
        scope='read rpc',
        code_challenge_method='S256',
        token_endpoint_auth_method='client_secret_basic' if arguments.client_secret else 'none',
    )
    metadata = discover(session, url)
    authorize(session, metadata)
    print("Partners, with the first access token:")
    read_partners(session, url)
    session.refresh_token(metadata['token_endpoint'])
    print("Partners, with the access token after a refresh:")
    read_partners(session, url)
    session.revoke_token(metadata['revocation_endpoint'], session.token['refresh_token'], 'refresh_token')
    print("Signed out.")


if __name__ == '__main__':
    try:
        main()
    except OAuthError as error:
        raise SystemExit(f"Odoo refuses: {error}") from None
    except requests.ConnectionError as error:
        raise SystemExit(f"{error.request.url} cannot be reached.") from None
    except requests.RequestException as error:
        raise SystemExit(str(error)) from None
