"""The authentication request (Core §3.1.2.1): what it adds to an authorization request.

Read after `oauth2.authorization_request` has found client and redirect URI
good, so that every error here goes to the application by redirect.
"""

import dataclasses
import re

from ..oauth2 import scopes
from ..oauth2.errors import InvalidRequest, InvalidScope
from ..oauth2.scopes import OPENID
from . import claims_request
from .errors import RegistrationNotSupported, RequestNotSupported, RequestUriNotSupported

PARAMETERS = (
    'acr_values', 'claims', 'display', 'id_token_hint', 'login_hint', 'max_age', 'nonce', 'prompt', 'registration',
    'request', 'request_uri', 'response_mode', 'ui_locales',
)  # fmt: skip

NONE, LOGIN, CONSENT, SELECT_ACCOUNT = 'none', 'login', 'consent', 'select_account'
PROMPTS = frozenset({NONE, LOGIN, CONSENT, SELECT_ACCOUNT})

QUERY, FORM_POST = 'query', 'form_post'
RESPONSE_MODES = (QUERY, FORM_POST)

#: Characters of a nonce, which is stored with the code and comes back in the ID token.
MAX_NONCE = 4096
#: Characters of a login hint: a name or an e-mail address, to be shown in a field.
MAX_LOGIN_HINT = 320

#: Seconds, as PostgreSQL and every client can count them.
MAX_AGE = re.compile(r'[0-9]{1,10}', re.ASCII)
HIGHEST_MAX_AGE = 2**31 - 1


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class AuthenticationRequest:
    """What an application asks about the login; without a `repr`, because of the hint.

    :ivar frozenset prompt: of `PROMPTS`
    :ivar max_age: seconds since the user last logged in, or None
    :ivar nonce: to be repeated in the ID token, or None
    :ivar login_hint: what to fill into the login form, or None
    :ivar id_token_hint: an ID token of this server that names the expected user, not verified yet, or None
    :ivar tuple ui_locales: language tags, the best first
    :ivar tuple acr_values: preferred authentication contexts, the best first
    :ivar ClaimsRequest claims: what the parameter `claims` asks for
    :ivar str response_mode: `query` or `form_post`
    """

    prompt: frozenset = frozenset()
    max_age: int | None = None
    nonce: str | None = None
    login_hint: str | None = None
    id_token_hint: str | None = None
    ui_locales: tuple = ()
    acr_values: tuple = ()
    claims: claims_request.ClaimsRequest = claims_request.NOTHING
    response_mode: str = QUERY

    @property
    def allows_page(self):
        """Whether the user may be shown anything (`prompt` is not `none`)."""
        return NONE not in self.prompt

    def needs_login(self, auth_time, now):
        """Return whether the user must log in again before the answer.

        :param auth_time: when the user last proved who they are, in seconds since 1970;
            None when nobody remembers, which does not meet any `max_age`
        :param int now: seconds since 1970
        """
        if self.max_age is None:
            return False
        return auth_time is None or now - auth_time > self.max_age or self.max_age == 0


def is_authentication_request(parameters, client):
    """Return whether a request asks who the user is (Core §3.1.2.1). No other is read here.

    :param Parameters parameters: those of the request
    :param Client client: the application
    """
    if OPENID not in client.scope:
        return False
    try:
        return OPENID in (scopes.parse(parameters.get('scope')) or client.default_scope)
    except InvalidScope:
        return False


def is_silent(parameters):
    """Return whether a request, perhaps one with errors in it, must not show a page (`prompt=none`)."""
    return NONE in _parse_list(parameters.get('prompt'))


def find_response_mode(parameters):
    """Return how the response is sent, even for a request with errors.

    :return: `query` for anything that is not supported; `validate` refuses it
    """
    mode = parameters.get('response_mode')
    return mode if mode in RESPONSE_MODES else QUERY


def validate(parameters):
    """Check the parameters of OpenID Connect.

    :param Parameters parameters: those of the authorization request
    :return: an `AuthenticationRequest`
    :raise OAuth2Error: to be sent to the redirect URI
    """
    parameters.require_single(PARAMETERS)
    # Core §6: no object is fetched or read, and the application must be told so.
    for name, error in (
        ('request', RequestNotSupported),
        ('request_uri', RequestUriNotSupported),
        ('registration', RegistrationNotSupported),
    ):
        if parameters.get(name) is not None:
            raise error("The parameter is not supported: send plain parameters.", reason='openid_parameter', sent=name)
    if (response_mode := parameters.get('response_mode') or QUERY) not in RESPONSE_MODES:
        raise InvalidRequest(
            "The response_mode must be query or form_post.",
            reason='openid_value',
            sent=response_mode,
            expected=', '.join(RESPONSE_MODES),
        )
    nonce = parameters.get('nonce')
    if nonce is not None and len(nonce) > MAX_NONCE:
        raise InvalidRequest("The nonce is too long.", reason='openid_value', expected=f'nonce <= {MAX_NONCE}')
    return AuthenticationRequest(
        prompt=_parse_prompt(parameters.get('prompt')),
        max_age=_parse_max_age(parameters.get('max_age')),
        nonce=nonce,
        login_hint=(parameters.get('login_hint') or '')[:MAX_LOGIN_HINT] or None,
        id_token_hint=parameters.get('id_token_hint'),
        ui_locales=_parse_list(parameters.get('ui_locales')),
        acr_values=_parse_list(parameters.get('acr_values')),
        claims=claims_request.parse(parameters.get('claims')),
        response_mode=response_mode,
    )


def _parse_prompt(text):
    prompt = frozenset(_parse_list(text))
    if not prompt <= PROMPTS:
        # Core lets a server ignore an unknown value, but an error is better than a page that
        # the application waits for in vain.
        raise InvalidRequest(
            "The prompt must be none, login, consent or select_account.",
            reason='openid_value',
            sent=text,
            expected=', '.join(sorted(PROMPTS)),
        )
    if NONE in prompt and len(prompt) > 1:
        raise InvalidRequest(
            "The prompt none cannot be combined with another.", reason='openid_value', sent=text, expected=NONE
        )
    return prompt


def _parse_max_age(text):
    if text is None:
        return None
    if not MAX_AGE.fullmatch(text) or int(text) > HIGHEST_MAX_AGE:
        raise InvalidRequest(
            "The max_age must be a number of seconds.",
            reason='openid_value',
            sent=text,
            expected=f'0 - {HIGHEST_MAX_AGE}',
        )
    return int(text)


def _parse_list(text):
    return tuple(dict.fromkeys((text or '').split()))
