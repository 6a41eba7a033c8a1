"""The dispatcher between Odoo's router and UserInfo, which takes access tokens in three ways (Core §5.3.1)."""

from ..oauth2 import bearer, parameters
from ..oauth2.errors import InvalidRequest
from .application import OAuth2Dispatcher
from .bearer import BearerErrors, authenticate

ACCESS_TOKEN = 'access_token'


class UserInfoDispatcher(BearerErrors, OAuth2Dispatcher):
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
        """Log nothing: an administrator cannot fix an expired token."""

    def _get_error_parameters(self, error):
        # RFC 6750 §3.1: a request without a token is told no error code.
        return {name: value for name, value in super()._get_error_parameters(error).items() if value}
