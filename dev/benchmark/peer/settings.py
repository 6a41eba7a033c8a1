"""The fastest settings of django-oauth-toolkit: no middleware, a cheap hash, persistent connections."""

import os

SECRET_KEY = os.environ['PEER_SECRET_KEY']
DEBUG = False
ALLOWED_HOSTS = ['127.0.0.1']
ROOT_URLCONF = 'urls'
INSTALLED_APPS = ['django.contrib.auth', 'django.contrib.contenttypes', 'oauth2_provider']
MIDDLEWARE = []
DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': os.environ['PEER_DATABASE'],
        'CONN_MAX_AGE': None,
    }
}
# Django's default, a slow hash of the client secret, would take most of the time of each request.
PASSWORD_HASHERS = ['django.contrib.auth.hashers.MD5PasswordHasher']
OAUTH2_PROVIDER = {'AUTHORIZATION_CODE_EXPIRE_SECONDS': 600, 'ACCESS_TOKEN_EXPIRE_SECONDS': 3600}
# Only where ID tokens are measured: its OpenID Connect makes the other requests slower.
if RSA_KEY := os.environ['PEER_RSA_KEY']:
    OAUTH2_PROVIDER |= {
        'OIDC_ENABLED': True,
        'OIDC_RSA_PRIVATE_KEY': RSA_KEY,
        'OIDC_ISS_ENDPOINT': 'https://peer.example.com/o',
        'SCOPES': {'openid': "OpenID Connect", 'read': "Read", 'write': "Write"},
    }
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
USE_TZ = True
