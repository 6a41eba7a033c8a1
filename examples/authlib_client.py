"""A script that reads partners as the user who allowed it. Needs `pip install authlib requests`.

It does what any application does: it finds the endpoints, sends the browser to
the authorization endpoint, receives the code on a loopback address (RFC 8252
§7.3), exchanges it for tokens with PKCE, calls Odoo with the access token, and
refreshes it.

    python authlib_client.py --url http://127.0.0.1:8069 --client-id … --client-secret …
"""

import argparse
import http.server
import threading
import urllib.parse
import webbrowser

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

PAGE = "<!doctype html><meta charset=utf-8><title>Done</title><p>You can close this page and go back to the script."


class Callback(http.server.HTTPServer):
    """Waits on a free port of this computer for the browser to come back."""

    def __init__(self):
        super().__init__(('127.0.0.1', 0), CallbackHandler)
        self.response = None
        self.received = threading.Event()

    @property
    def uri(self):
        """The redirect URI. The port is free to differ from the registered one."""
        return f'http://127.0.0.1:{self.server_port}/callback'

    def wait(self):
        """Return the address that the browser was sent to."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        self.received.wait()
        self.shutdown()
        return self.response


class CallbackHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if urllib.parse.urlsplit(self.path).path != '/callback':
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.end_headers()
        self.wfile.write(PAGE.encode())
        self.server.response = f'http://127.0.0.1:{self.server.server_port}{self.path}'
        self.server.received.set()

    def log_message(self, *args):
        # The request line holds the code.
        pass


def discover(session, url):
    """Return the server's metadata (RFC 8414), which names the endpoints."""
    metadata = session.request('GET', f'{url}/.well-known/oauth-authorization-server', withhold_token=True).json()
    if metadata['issuer'] != url:
        raise SystemExit(f"{url} calls itself {metadata['issuer']}. Use that address, or set the issuer in Odoo.")
    return metadata


def authorize(session, metadata):
    """Let the user allow this script in the browser, and return the tokens."""
    callback = Callback()
    session.redirect_uri = callback.uri
    verifier = generate_token(48)
    uri, state = session.create_authorization_url(metadata['authorization_endpoint'], code_verifier=verifier)
    print(f"Allow it in the browser: {uri}", flush=True)
    webbrowser.open(uri)
    response = callback.wait()
    parameters = urllib.parse.parse_qs(urllib.parse.urlsplit(response).query)
    if 'error' in parameters:
        raise SystemExit(f"Not allowed: {parameters['error'][0]}")
    # RFC 9207: the answer must come from the server that was asked.
    if parameters.get('iss') != [metadata['issuer']]:
        raise SystemExit("The answer came from another server.")
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
    main()
