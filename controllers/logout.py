from urllib.parse import urlencode

from odoo import http
from odoo.http import request

from ..dispatchers.context import get_context
from ..dispatchers.cross_origin import make_empty_response
from ..dispatchers.headers import PAGE
from ..oauth2 import parameters
from ..oauth2.errors import InvalidRequest, OAuth2Error
from ..openid import logout
from ..openid.discovery import LOGOUT_ENDPOINT
from .authorize import Authorize
from .page import make_redirect


class Logout(Authorize):
    @http.route(
        LOGOUT_ENDPOINT, type='http', auth='public', methods=['GET', 'POST'], csrf=False, readonly=False, sitemap=False
    )
    def logout(self):
        """Log the user out of Odoo because an application asks for it (RP-Initiated Logout 1.0).

        Asks the user on a page, unless the `id_token_hint` proves that the application has
        signed in the same user in the same session. GET and POST take the request; POST with
        `decision` comes from the page. The browser goes on to the `post_logout_redirect_uri`
        if it is registered for the application and something proves that the request comes
        from there: the hint or, with `client_id` alone, the user who has read its name.
        """
        if self._is_safe_or_prefetch():
            return make_empty_response(204, {'Allow': 'GET, HEAD, OPTIONS, POST', **PAGE})
        form = request.httprequest.form
        is_decision = request.httprequest.method == 'POST' and 'decision' in form
        try:
            if request.httprequest.method == 'POST' and not is_decision:
                # Browsers send the cookie of the session with a GET from another site, and not with a POST.
                return self._redirect_body(LOGOUT_ENDPOINT, urlencode(list(form.items(multi=True))))
            asked = logout.parse(
                parameters.parse(request.httprequest.query_string),
                request.env['orestapi.signing.key']._get_known_keys(),
                request.env['orestapi.server']._get_issuer(),
            )
        except OAuth2Error as error:
            return self._render_error(error)
        client = asked.client_id and request.env['orestapi.application']._find_client(asked.client_id)
        uri = logout.find_redirect_uri(asked, client.post_logout_redirect_uris) if client else None
        get_context(request).client = client or None
        if not self._has_session():
            # Without a hint, any link could lead through this server to the application.
            return self._leave(asked, uri if asked.subject else None)
        if is_decision:
            csrf_token = form.get('csrf_token', '')
            if not (csrf_token.isascii() and request.validate_csrf(csrf_token)):
                return self._render_error(
                    InvalidRequest("The page was open too long, or was opened elsewhere.", reason='page'), cause='page'
                )
        elif not (client and request.env['orestapi.login']._is_current(asked.sid, asked.subject, client)):
            if asked.uri and not uri:
                self._log_wrong_uri(asked, client)
            return self._render_logout_question(client)
        request.session.logout(keep_db=True)
        return self._leave(asked, uri)

    def _leave(self, asked, uri):
        """Return the way back to the application, or the page of a user who is logged out.

        :param LogoutRequest asked: the request
        :param uri: where to go, checked, or None
        """
        if uri:
            location = parameters.add_to_uri(uri, {'state': asked.state}) if asked.state else uri
            return make_redirect(location)
        if request.httprequest.query_string or request.httprequest.method == 'POST':
            # To a URL without the ID token, and with the session that has begun now.
            return make_redirect(LOGOUT_ENDPOINT)
        return self._render('orestapi.logged_out', {})

    def _log_wrong_uri(self, asked, client):
        """Log an event that tells the administrator why the browser stays here."""
        error = InvalidRequest(
            "The post_logout_redirect_uri is not registered.", reason='redirect_uri_after_logout', sent=asked.uri
        )
        error.user_id = request.session.uid
        request.env['orestapi.event']._log_refusal(
            'request_refused', error, client and client.id, request.httprequest.remote_addr
        )

    def _render_logout_question(self, client):
        query = request.httprequest.query_string.decode('ascii')
        values = {
            'application': client and self._get_application(client),
            'user': request.env.user,
            'action': f'{LOGOUT_ENDPOINT}?{query}' if query else LOGOUT_ENDPOINT,
        }
        return self._render('orestapi.logout', values)
