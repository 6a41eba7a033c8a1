"""Web sites that sign people in with Python libraries, unchanged: `python python_sites.py < settings.json`.

Runs in the environment of dev/requirements/parties.txt. Each site answers at `/` with what it knows of the user as
JSON, or begins to sign them in. The settings, by the name of the site: `url`, `client_id`, `client_secret`; and the
`issuer`. A line is printed when all answer.
"""

import json
import os
import secrets
import sys
import threading
from pathlib import Path

import django
import flask
import flask_oidc
import requests_oauth2client
from oic.oic import Client
from oic.oic.message import AuthorizationResponse, RegistrationResponse
from oic.utils.authn.client import CLIENT_AUTHN_METHOD
from werkzeug.serving import WSGIRequestHandler, make_server

EXAMPLES = Path(__file__).resolve().parents[3] / 'examples'


def make_flask(name):
    app = flask.Flask(name)
    app.secret_key = secrets.token_hex()
    return app


def make_authlib(site, issuer):
    """The example of *docs/how-to/sign-in-python.md*."""
    sys.path.append(str(EXAMPLES))
    os.environ.update(
        SECRET_KEY=secrets.token_hex(),
        ISSUER=issuer,
        CLIENT_ID=site['client_id'],
        CLIENT_SECRET=site['client_secret'],
    )
    from sign_in_flask import app

    @app.get('/me')
    def show():
        return flask.session['user']

    return app


def make_requests_oauth2client(site, issuer):

    app, waiting = make_flask('requests_oauth2client'), {}
    client = requests_oauth2client.OAuth2Client.from_discovery_endpoint(
        issuer=issuer,
        client_id=site['client_id'],
        client_secret=site['client_secret'],
        redirect_uri=site['url'] + '/callback',
    )

    @app.get('/')
    def home():
        asked = client.authorization_request(scope='openid profile email')
        waiting[asked.state] = asked
        return flask.redirect(asked.uri)

    @app.get('/callback')
    def callback():
        answer = waiting.pop(flask.request.args['state']).validate_callback(flask.request.url)
        tokens = client.authorization_code(answer)
        assert tokens.id_token.sub == client.userinfo(tokens)['sub']
        return {**tokens.id_token.claims, **client.userinfo(tokens)}

    return app


def make_flask_oidc(site, issuer):

    app = make_flask('flask_oidc')
    app.config.update(
        OIDC_CLIENT_SECRETS={
            'web': {'client_id': site['client_id'], 'client_secret': site['client_secret'], 'issuer': issuer}
        },
        OIDC_SCOPES='openid profile email',
    )
    oidc = flask_oidc.OpenIDConnect(app)

    @app.get('/')
    @oidc.require_login
    def home():
        return flask.session['oidc_auth_profile']

    return app


def make_pyoidc(site, issuer):
    app, waiting = make_flask('pyoidc'), {}
    client = Client(
        client_authn_method=CLIENT_AUTHN_METHOD, config={'code_challenge': {'length': 64, 'method': 'S256'}}
    )
    client.provider_config(issuer)
    client.store_registration_info(
        RegistrationResponse(client_id=site['client_id'], client_secret=site['client_secret'])
    )
    redirect_uri = site['url'] + '/callback'

    @app.get('/')
    def home():
        state, nonce = secrets.token_urlsafe(), secrets.token_urlsafe()
        challenge, verifier = client.add_code_challenge()
        waiting[state] = nonce, verifier
        asked = client.construct_AuthorizationRequest(
            request_args={
                'response_type': 'code',
                'scope': ['openid', 'profile', 'email'],
                'redirect_uri': redirect_uri,
                'state': state,
                'nonce': nonce,
                **challenge,
            }
        )
        return flask.redirect(asked.request(client.authorization_endpoint))

    @app.get('/callback')
    def callback():
        answer = client.parse_response(
            AuthorizationResponse, info=flask.request.query_string.decode(), sformat='urlencoded'
        )
        nonce, verifier = waiting.pop(answer['state'])
        tokens = client.do_access_token_request(
            state=answer['state'],
            request_args={'code': answer['code'], 'redirect_uri': redirect_uri, 'code_verifier': verifier},
        )
        assert tokens['id_token']['nonce'] == nonce
        user = client.do_user_info_request(state=answer['state']).to_dict()
        assert user['sub'] == tokens['id_token']['sub']
        return user

    return app


def make_django(sites, issuer):
    """Return one application that serves the three libraries of Django below paths of their own."""
    from django.conf import settings
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    mozilla, allauth, social = (sites[name] for name in ('mozilla-django-oidc', 'django-allauth', 'social-auth-core'))
    settings.configure(
        SECRET_KEY=secrets.token_hex(),
        ALLOWED_HOSTS=['127.0.0.1'],
        ROOT_URLCONF='django_urls',
        DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'file:sites?mode=memory&cache=shared'}},
        USE_TZ=True,
        LOGGING={
            'version': 1,
            'handlers': {'console': {'class': 'logging.StreamHandler'}},
            'loggers': {'django.request': {'handlers': ['console'], 'propagate': False}},
        },
        INSTALLED_APPS=[
            'django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions', 'django.contrib.messages',
            'mozilla_django_oidc', 'social_django',
            'allauth', 'allauth.account', 'allauth.socialaccount', 'allauth.socialaccount.providers.openid_connect',
        ],
        MIDDLEWARE=[
            'django.contrib.sessions.middleware.SessionMiddleware',
            'django.contrib.auth.middleware.AuthenticationMiddleware',
            'django.contrib.messages.middleware.MessageMiddleware',
            'allauth.account.middleware.AccountMiddleware',
        ],
        TEMPLATES=[
            {
                'BACKEND': 'django.template.backends.django.DjangoTemplates',
                'APP_DIRS': True,
                'OPTIONS': {'context_processors': ['django.template.context_processors.request']},
            }
        ],
        AUTHENTICATION_BACKENDS=[
            'social_core.backends.open_id_connect.OpenIdConnectAuth',
            'allauth.account.auth_backends.AuthenticationBackend',
            # The last, because it would redeem the codes of the others.
            'mozilla_django_oidc.auth.OIDCAuthenticationBackend',
        ],
        # Without migrations, the tables are made at once.
        MIGRATION_MODULES=dict.fromkeys(
            ('auth', 'contenttypes', 'sessions', 'social_django', 'account', 'socialaccount')
        ),
        LOGIN_REDIRECT_URL='/me',
        LOGIN_REDIRECT_URL_FAILURE='/failed',
        # mozilla-django-oidc knows no discovery.
        OIDC_RP_CLIENT_ID=mozilla['client_id'],
        OIDC_RP_CLIENT_SECRET=mozilla['client_secret'],
        OIDC_RP_SIGN_ALGO='RS256',
        OIDC_USE_PKCE=True,
        OIDC_OP_AUTHORIZATION_ENDPOINT=issuer + '/oauth2/authorize',
        OIDC_OP_TOKEN_ENDPOINT=issuer + '/oauth2/token',
        OIDC_OP_USER_ENDPOINT=issuer + '/oauth2/userinfo',
        OIDC_OP_JWKS_ENDPOINT=issuer + '/oauth2/jwks',
        SOCIAL_AUTH_OIDC_OIDC_ENDPOINT=issuer,
        SOCIAL_AUTH_OIDC_KEY=social['client_id'],
        SOCIAL_AUTH_OIDC_SECRET=social['client_secret'],
        SOCIAL_AUTH_OIDC_USE_PKCE=True,
        SOCIALACCOUNT_PROVIDERS={
            'openid_connect': {
                'OAUTH_PKCE_ENABLED': True,
                'APPS': [
                    {
                        'provider_id': 'odoo',
                        'name': "Odoo",
                        'client_id': allauth['client_id'],
                        'secret': allauth['client_secret'],
                        'settings': {'server_url': issuer},
                    }
                ],
            }
        },
        # Without a login page, whose button sends a form.
        SOCIALACCOUNT_LOGIN_ON_GET=True,
        ACCOUNT_EMAIL_VERIFICATION='none',
    )  # fmt: skip
    django.setup()
    call_command('migrate', run_syncdb=True, verbosity=0)
    return get_wsgi_application()


FLASK = {
    'Authlib': make_authlib,
    'requests-oauth2client': make_requests_oauth2client,
    'Flask-OIDC': make_flask_oidc,
    'pyoidc': make_pyoidc,
}
DJANGO = ('mozilla-django-oidc', 'django-allauth', 'social-auth-core')


class Quiet(WSGIRequestHandler):
    def log_request(self, *_arguments):
        """Say nothing: the URLs have codes in them."""


def main():
    settings = json.load(sys.stdin)
    sites, issuer = settings['sites'], settings['issuer']
    apps = {site['url']: FLASK[name](site, issuer) for name, site in sites.items() if name in FLASK}
    if django := [site['url'] for name, site in sites.items() if name in DJANGO]:
        apps[django[0]] = make_django(sites, issuer)
    for url, app in apps.items():
        server = make_server('127.0.0.1', int(url.rpartition(':')[2]), app, threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == '__main__':
    main()
