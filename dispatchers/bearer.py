"""From an access token to the user of the request (RFC 6750), for every endpoint that accepts one."""

from odoo import http

from ..oauth2 import challenge
from ..oauth2.errors import InsufficientScope, InvalidToken
from . import access_token
from .context import get_context


def authenticate(request, string, scope):
    """Serve a request as the user of an access token.

    :param request: Odoo's request
    :param str string: the access token
    :param str scope: the scope that the endpoint needs
    :return: the `ActiveToken`, which is also kept in the context
    :raise InvalidToken: for a token that does not work
    :raise InsufficientScope: for one that lacks the scope
    """
    active = request.env['orestapi.token']._authenticate_bearer(string)
    if not active:
        raise InvalidToken("The access token is not valid.")
    get_context(request).active_token = active
    if scope not in active.scope:
        raise InsufficientScope(f"The access token lacks the scope {scope}.", scope=scope)
    _leave_session(request)
    request.update_env(user=active.sign_in.user_id)
    access_token.serve(request.env.cr, active)
    return active


class BearerErrors:
    """How a dispatcher answers the errors of endpoints that take an access token (RFC 6750 §3)."""

    def _get_allowed_origins(self):
        active = get_context(self.request).active_token
        return active and active.sign_in.client.allowed_origins

    def _get_challenge(self, error):
        return challenge.get_bearer(error) if error.status in (400, 401, 403) else None


def _leave_session(request):
    """Detach the browser's session from the request.

    The session may belong to another user, who has just confirmed their own password:
    core would take that as a confirmation by the token's user and hand out an API key
    (`check_identity`).
    """
    if not request.session.is_new:
        request.session = http.root.session_store.new()
        request.session.update({
            **http.get_default_session(),
            'context': {'lang': request.default_lang()},
            'db': request.db,
        })
    request.session.can_save = False
