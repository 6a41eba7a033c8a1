"""A Flask application that signs people in with their Odoo account.

Start it with the environment variables that *docs/how-to/sign-in-python.md* lists:

    flask --app sign_in_flask run --port 5000
"""

import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, request, session, url_for
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from markupsafe import escape

LOGOUT = 'http://schemas.openid.net/event/backchannel-logout'

app = Flask(__name__)
app.secret_key = os.environ['SECRET_KEY']
oauth = OAuth(app)
odoo = oauth.register(
    'odoo',
    client_id=os.environ['CLIENT_ID'],
    client_secret=os.environ['CLIENT_SECRET'],
    server_metadata_url=os.environ['ISSUER'] + '/.well-known/openid-configuration',
    client_kwargs={'scope': 'openid profile email', 'code_challenge_method': 'S256'},
)
#: Sessions of Odoo that have ended. With several processes, this belongs into a database that they share.
ended = set()


@app.get('/')
def home():
    user = session.get('user')
    if not user or user['sid'] in ended:
        session.clear()
        return '<a href="/login">Sign in with Odoo</a>'
    # Not everybody has an email address.
    who = ', '.join(filter(None, (user['name'], user.get('email'))))
    return f"<p>{escape(who)}</p><a href='/logout'>Log out</a>"


@app.get('/login')
def log_in():
    return odoo.authorize_redirect(url_for('callback', _external=True))


@app.get('/callback')
def callback():
    # Checks state, nonce, and the signature, issuer, audience and expiry of the ID token.
    tokens = odoo.authorize_access_token()
    about_login = tokens['userinfo']
    user = odoo.userinfo(token=tokens)
    # A different user would be a mix-up (OpenID Connect Core §5.3.2).
    if user['sub'] != about_login['sub']:
        return "The user is not the one who has logged in.", 403
    session['user'] = {**user, 'sid': about_login['sid']}
    session['id_token'] = tokens['id_token']
    return redirect(url_for('home'))


@app.get('/logout')
def log_out():
    id_token = session.pop('id_token', None)
    session.clear()
    if not id_token:
        return redirect(url_for('home'))
    return odoo.logout_redirect(url_for('home', _external=True), id_token_hint=id_token)


@app.post('/odoo-logout')
def end_session():
    """Odoo says that a user has logged out there (OpenID Connect Back-Channel Logout §2.6)."""
    metadata = odoo.load_server_metadata()
    keys = KeySet.import_key_set(odoo.fetch_jwk_set())
    rules = jwt.JWTClaimsRegistry(
        iss={'essential': True, 'value': metadata['issuer']},
        aud={'essential': True, 'value': odoo.client_id},
        exp={'essential': True},
        sid={'essential': True},
        events={'essential': True},
    )
    try:
        token = jwt.decode(request.form.get('logout_token', ''), keys, algorithms=['RS256'])
        rules.validate(token.claims)
    except (JoseError, ValueError):
        return "This is no logout token.", 400
    # An ID token must not pass for one.
    if token.header.get('typ') != 'logout+jwt' or LOGOUT not in token.claims['events'] or 'nonce' in token.claims:
        return "This is no logout token.", 400
    ended.add(token.claims['sid'])
    return '', 200, {'Cache-Control': 'no-store'}
