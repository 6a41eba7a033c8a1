"""The responses of the token endpoint and of introspection."""

from datetime import timezone

from . import scopes, tokens


def build_token_response(access_token, expires_in, scope, refresh_token=None):
    """Return a token response (RFC 6749 §5.1).

    :param str access_token: the access token
    :param int expires_in: for how many seconds it works
    :param str scope: the scope tokens as a text
    :param refresh_token: the refresh token, or None
    """
    response = {'access_token': access_token, 'token_type': 'Bearer', 'expires_in': expires_in, 'scope': scope}
    if refresh_token:
        response['refresh_token'] = refresh_token
    return response


#: Scopes with which an application can read the user's login anyway.
NAMING_SCOPES = frozenset({'rpc', 'profile'})

#: The response for a token that does not work, or that the asker may not know about (RFC 7662 §2.2).
INACTIVE = {'active': False}


def build_introspection_response(kind, active, asker, issuer, subject=None):
    """Describe a token to the application that asks (RFC 7662 §2.2).

    :param str kind: `tokens.ACCESS_TOKEN` or `tokens.REFRESH_TOKEN`
    :param active: its `ActiveToken`, or None for one that does not work
    :param Client asker: the authenticated application
    :param str issuer: the issuer identifier
    :param subject: who the user is for the application of a token with the scope `openid`, whose ID tokens say so
        too; None for any other
    :return: the response; `INACTIVE` also for a token that the asker may not know about.
        A resource server may ask about access tokens only, because a refresh token is
        meant for this server alone (RFC 6749 §1.5).
    """
    if active is None:
        return INACTIVE
    sign_in = active.sign_in
    is_own = sign_in.client.id == asker.id
    if not is_own and not (asker.resource_server and kind == tokens.ACCESS_TOKEN):
        return INACTIVE
    response = {
        'active': True,
        'scope': scopes.render(active.scope),
        'client_id': sign_in.client.client_id,
        # RFC 9700 §4.15: a service must not be mistaken for a user.
        'sub': sign_in.client.client_id if sign_in.is_service else subject or str(sign_in.user_id),
        'iss': issuer,
    }
    if asker.resource_server or active.scope & NAMING_SCOPES:
        # RFC 7662 §5: an application that reads some records need not learn the user's login.
        response['username'] = sign_in.username
    if kind == tokens.ACCESS_TOKEN:
        response['token_type'] = 'Bearer'
    if active.expires_at:
        response['exp'] = int(active.expires_at.replace(tzinfo=timezone.utc).timestamp())
    return response
