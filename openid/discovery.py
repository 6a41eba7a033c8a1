"""Provider metadata (Discovery 1.0 §3): what RFC 8414 publishes, and what OpenID Connect adds."""

from ..jose.algorithms import EDDSA, ES256, RS256
from . import authentication, claims
from .authentication_request import CONSENT, LOGIN, NONE, RESPONSE_MODES, SELECT_ACCOUNT

WELL_KNOWN = '/.well-known/openid-configuration'
JWKS_ENDPOINT = '/oauth2/jwks'
USERINFO_ENDPOINT = '/oauth2/userinfo'
PICTURE_ENDPOINT = '/oauth2/picture'
LOGOUT_ENDPOINT = '/oauth2/logout'

#: Who a user is for applications (Core §8): the same for all, or for each somebody else.
SUBJECT_TYPES = ('public', 'pairwise')

#: The values of `display` (Core §3.1.2.1) that the pages suit: they fit any window, so that all look the same.
DISPLAYS = ('page', 'popup', 'touch')

#: What signs ID tokens: RS256 unless an application asks for another.
SIGNING_ALGORITHMS = (RS256, ES256, EDDSA)


def extend(metadata, defined_claims, locales):
    """Return the metadata of an authorization server with those of an OpenID provider.

    :param dict metadata: what `oauth2.metadata.build` returned
    :param defined_claims: the names of the claims that administrators have defined
    :param locales: the language tags of the installed languages
    """
    issuer = metadata['issuer']
    names = {name for scope in claims.SCOPES.values() for name in scope}
    return {
        **metadata,
        'jwks_uri': issuer + JWKS_ENDPOINT,
        'userinfo_endpoint': issuer + USERINFO_ENDPOINT,
        # RP-Initiated Logout §2.1, Back-Channel Logout §2.1
        'end_session_endpoint': issuer + LOGOUT_ENDPOINT,
        'backchannel_logout_supported': True,
        'backchannel_logout_session_supported': True,
        'response_modes_supported': list(RESPONSE_MODES),
        'subject_types_supported': list(SUBJECT_TYPES),
        'id_token_signing_alg_values_supported': list(SIGNING_ALGORITHMS),
        'acr_values_supported': list(authentication.CLASSES),
        'display_values_supported': list(DISPLAYS),
        'prompt_values_supported': [NONE, LOGIN, CONSENT, SELECT_ACCOUNT],
        'claim_types_supported': ['normal'],
        'claims_supported': sorted({*names, *defined_claims, 'acr', 'amr', 'auth_time', 'sid'}),
        'claims_parameter_supported': True,
        'request_parameter_supported': False,
        'request_uri_parameter_supported': False,
        'ui_locales_supported': list(locales),
    }
