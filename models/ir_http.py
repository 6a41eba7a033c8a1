from werkzeug.exceptions import HTTPException

from odoo import models
from odoo.http import SessionExpiredException, request

from ..oauth2 import challenge, token
from ..oauth2.errors import InsufficientScope, InvalidToken


class IrHttp(models.AbstractModel):
    _inherit = 'ir.http'

    @classmethod
    def _auth_method_bearer(cls):
        scheme, _blank, credential = request.httprequest.headers.get('Authorization', '').partition(' ')
        if scheme.lower() != 'bearer' or not token.is_ours(credential.strip()):
            return super()._auth_method_bearer()
        # Not left to core, which would answer a valid token without the scope
        # as an invalid API key, and would mind a session of another user that
        # the browser happens to send along.
        sign_in = request.env['orestapi.token']._authenticate_bearer(credential.strip())
        if not sign_in:
            raise cls._get_bearer_error(InvalidToken("The access token is not valid."))
        if 'rpc' not in sign_in['token_scope']:
            raise cls._get_bearer_error(InsufficientScope("The access token lacks the scope rpc.", scope='rpc'))
        request.session.can_save = False
        request.update_env(user=sign_in['user_id'])
        cls._auth_method_user()

    @classmethod
    def _get_bearer_error(cls, error):
        """Return the exception that answers a bearer request with an error (RFC 6750 §3)."""
        response = request.make_json_response(error.to_parameters(), status=error.status, headers={
            'WWW-Authenticate': challenge.get_bearer(error),
            'Cache-Control': 'no-store',
        })
        # Without a code, Odoo sends the response as it is.
        return HTTPException(response=response)

    @classmethod
    def _handle_error(cls, exception):
        # Set by the authorization endpoint once it knows where to report errors
        # (RFC 6749 §4.1.2.1: the browser must not see a status 500 instead).
        get_response = getattr(request, 'oauth2_error_response', None)
        if get_response and not isinstance(exception, (HTTPException, SessionExpiredException)):
            return get_response(exception)
        return super()._handle_error(exception)
