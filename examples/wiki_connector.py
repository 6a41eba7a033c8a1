"""A script that does what the older wiki connector does. Needs `pip install requests`.

This is not an example to follow: it uses an outdated protocol, which works only for an
application marked as *Legacy Connector*. It sends its secret in the URL together with
`Authorization: OAuth`, and uses neither PKCE nor `state`. Write a new application like
`authlib_client.py`.

    python wiki_connector.py --url http://127.0.0.1:8069 --client-id … --client-secret=…
"""

import argparse
import json
import urllib.parse

import requests
from callback import Callback, get_parameters


def authenticate(url, client_id, client_secret):
    """Let the user allow this script in the browser, and return the tokens."""
    callback = Callback()
    query = urllib.parse.urlencode({
        'response_type': 'code',
        'client_id': client_id,
        'redirect_uri': callback.uri,
        'scope': 'read',
    })
    received = get_parameters(callback.ask(f'{url}/orestapi/oauth2/authorization?{query}'))
    return get_json(
        requests.post(
            f'{url}/orestapi/oauth2/access_token',
            timeout=60,
            headers={'Authorization': 'OAuth'},
            params={
                'grant_type': 'authorization_code',
                'code': received['code'],
                'redirect_uri': callback.uri,
                'client_id': client_id,
                'client_secret': client_secret,
            },
        )
    )


def refresh(url, client_id, client_secret, refresh_token):
    """Return new tokens for a refresh token."""
    return get_json(
        requests.post(
            f'{url}/orestapi/oauth2/access_token',
            timeout=60,
            auth=(client_id, client_secret),
            params={'grant_type': 'refresh_token', 'refresh_token': refresh_token},
        )
    )


def get_json(response):
    """Return the content of a response, or exit with the error from the server."""
    content = response.json()
    if not response.ok:
        raise SystemExit(f"{content['orestapi_code']}: {content['orestapi_message']}")
    return content


def show_record(url, access_token):
    """Go through the steps of the wiki's macro: a model, a record, its fields, their values."""

    def ask(path, **parameters):
        return get_json(
            requests.get(
                f'{url}/orestapi/{path}',
                params=parameters,
                timeout=60,
                headers={'Authorization': f'Bearer {access_token}'},
            )
        )

    model = next(model for model in ask('application/model') if model['model'] == 'res.partner')
    header, found = ask('record/name_search', model=model['model'], name='', limit=1)
    [record] = found['data']
    fields = ask('model/field', model=model['model'], names='["name", "email"]', data='["field_description"]')
    _header, read = ask(
        'record/read',
        model=model['model'],
        ids=json.dumps([record['id']]),
        fields=json.dumps([field['name'] for field in fields]),
    )
    print(f"{model['name']}, 1 of {header['header']['count']}: {record['display_name']}")
    for field in fields:
        print(f"  {field['field_description']}: {read['data'][0][field['name']]}")


def main():
    parser = argparse.ArgumentParser(description="Read a partner as the older wiki connector does.")
    parser.add_argument('--url', required=True, help="the address of Odoo, for example http://127.0.0.1:8069")
    parser.add_argument('--client-id', required=True)
    parser.add_argument('--client-secret', required=True)
    arguments = parser.parse_args()
    url, client_id, client_secret = arguments.url.rstrip('/'), arguments.client_id, arguments.client_secret
    [status] = get_json(requests.get(f'{url}/orestapi/application/status', auth=(client_id, client_secret), timeout=60))
    print(f"{status['display_name']} at {status['company']}", flush=True)
    tokens = authenticate(url, client_id, client_secret)
    print("With the first access token:", flush=True)
    show_record(url, tokens['access_token'])
    tokens = refresh(url, client_id, client_secret, tokens['refresh_token'])
    print("After a refresh:", flush=True)
    show_record(url, tokens['access_token'])


if __name__ == '__main__':
    try:
        main()
    except requests.JSONDecodeError:
        raise SystemExit(
            "That is not how Odoo answers a connector. Is the address right, and is one database meant by it?"
        ) from None
    except requests.ConnectionError as error:
        # Without the query string, where the secrets are.
        raise SystemExit(f"{error.request.url.partition('?')[0]} cannot be reached.") from None
    except requests.RequestException as error:
        raise SystemExit(str(error)) from None
