"""Between Odoo's router and UserInfo, which takes the access token in three ways (OpenID Connect Core §5.3.1)."""

from ..oauth2 import bearer, challenge, parameters
from ..oauth2.errors import InvalidRequest
from .application import OAuth2Dispatcher, make_response
from .bearer import authenticate
from .context import get_context

ACCESS_TOKEN = 'access_token'


class UserInfoDispatcher(OAuth2Dispatcher):
    """Serves UserInfo: `type='orestapi_userinfo'`. Errors are those of RFC 6750 §3, with its header."""

    routing_type = 'orestapi_userinfo'

    def authenticate(self, scope):
        """Return the `ActiveToken` of the request: in the header, or in a form (RFC 6750 §2.1, §2.2).

        :param str scope: the scope that it needs
        :raise OAuth2Error: when the request has no token, or one that does not work or lacks the scope
        """
        httprequest = self.request.httprequest
        form = parameters.Parameters(())
        if httprequest.method == 'POST' and httprequest.mimetype == parameters.MEDIA_TYPE:
            form = parameters.parse(self._read_body())
        authorization = httprequest.headers.get('Authorization')
        if authorization is None and ACCESS_TOKEN in form:
            form.require_single([ACCESS_TOKEN])
            if ACCESS_TOKEN in httprequest.args:
                raise InvalidRequest("The access token must be sent once.")
            string = form.require(ACCESS_TOKEN)
        else:
            string = bearer.get_token(authorization, {*form, *httprequest.args})
        return authenticate(self.request, string, scope)

    def _log_refusal(self, error):
        """A token that has expired is nothing that an administrator mends."""

    def _get_allowed_origins(self):
        active = get_context(self.request).active_token
        return active and active.sign_in.client.allowed_origins

    def _get_error_response(self, error):
        headers = {}
        if error.status in (400, 401, 403):
            headers['WWW-Authenticate'] = challenge.get_bearer(error)
        if retry_after := getattr(error, 'retry_after', None):
            headers['Retry-After'] = str(retry_after)
        # RFC 6750 §3.1: a request without a token is told no code of an error.
        content = {name: value for name, value in error.to_parameters().items() if value}
        return make_response(content, error.status, headers)
