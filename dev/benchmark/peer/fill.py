"""Creates an application, sign-ins and codes in the peer's environment, and prints them as JSON.

The arguments are:

    python fill.py <number of sign-ins> <number of codes> <redirect URI> <code challenge>
"""

import json
import secrets
import sys
import uuid
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken  # noqa: E402


def main(tokens, codes, redirect_uri, code_challenge):
    call_command('migrate', verbosity=0)
    user = get_user_model().objects.create_user('demo')
    client_secret = secrets.token_urlsafe(32)
    openid = settings.OAUTH2_PROVIDER.get('OIDC_ENABLED', False)
    application = Application.objects.create(
        name='Benchmark',
        user=user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        redirect_uris=redirect_uri,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        client_secret=client_secret,
        algorithm=Application.RS256_ALGORITHM if openid else Application.NO_ALGORITHM,
    )
    later = timezone.now() + timedelta(hours=1)
    common = {'user': user, 'application': application}
    access = AccessToken.objects.bulk_create([
        AccessToken(token=secrets.token_urlsafe(32), expires=later, scope='read write', **common)
        for _number in range(2 * tokens)
    ])
    # A refresh deletes the previous access token; the others are for introspection.
    refreshed, access = access[:tokens], access[tokens:]
    refresh = RefreshToken.objects.bulk_create([
        RefreshToken(token=secrets.token_urlsafe(32), access_token=each, token_family=uuid.uuid4(), **common)
        for each in refreshed
    ])
    grants = Grant.objects.bulk_create(
        [
            Grant(
                code=secrets.token_urlsafe(32),
                expires=later,
                redirect_uri=redirect_uri,
                scope='openid read write' if openid else 'read write',
                nonce=secrets.token_urlsafe(16) if openid else '',
                code_challenge=code_challenge,
                code_challenge_method='S256',
                **common,
            )
            for _number in range(codes)
        ],
        batch_size=5000,
    )
    json.dump(
        {
            'client_id': application.client_id,
            'client_secret': client_secret,
            'access_tokens': [each.token for each in access],
            'refresh_tokens': [each.token for each in refresh],
            'codes': [each.code for each in grants],
        },
        sys.stdout,
    )


if __name__ == '__main__':
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
