from odoo import http
from odoo.http import request

from ..dispatchers.cross_origin import make_empty_response
from ..dispatchers.headers import PAGE
from ..dispatchers.paths import LOGIN
from ..oauth2 import parameters
from ..oauth2.authorization_request import get_redirect_uri
from ..oauth2.errors import OAuth2Error
from ..openid.authentication import ONE_TIME_PASSWORD, PASSWORD
from .authorize import Authorize
from .page import find_wished_language, make_redirect


class Login(Authorize):
    # Odoo checks the CSRF token of a POST.
    @http.route(LOGIN, type='http', auth='public', methods=['GET', 'POST'], readonly=False, sitemap=False)
    def login(self):
        """Let users prove who they are once more, for an authentication request in the query string.

        POST takes what the page of the authorization endpoint has asked for, `password` or
        `totp_token`, and leads back there. GET leads to Odoo's own login page, for somebody
        else, or for another way to log in; what the request needs is kept.
        """
        if self._is_safe_or_prefetch():
            return make_empty_response(204, {'Allow': 'GET, HEAD, OPTIONS, POST', **PAGE})
        try:
            query = parameters.parse(request.httprequest.query_string)
            client = self._identify_client(query)
            get_redirect_uri(query, client)
        except OAuth2Error as error:
            return self._render_error(error)
        if not self._has_session():
            return self._redirect_to_login(language=find_wished_language())
        if request.httprequest.method == 'GET':
            request.env['orestapi.login']._log_out()
            return self._redirect_to_login(language=find_wished_language())
        self._authenticate_user()
        form = request.httprequest.form
        if problem := request.env['orestapi.login']._check(form):
            return self._render_login(client, ONE_TIME_PASSWORD if 'totp_token' in form else PASSWORD, problem)
        return make_redirect(self._get_request_uri())
