import types
from urllib.parse import urlencode

from odoo import http
from odoo.http import request

from ..dispatchers.application import is_outage
from ..dispatchers.context import get_context
from ..dispatchers.cross_origin import make_empty_response
from ..dispatchers.headers import PAGE
from ..oauth2 import metadata, parameters, redirect_uris
from ..oauth2.authorization_request import get_client_id, get_redirect_uri, get_response_uri, validate
from ..oauth2.errors import (
    LOGGED,
    AuthorizationDenied,
    InvalidRequest,
    OAuth2Error,
    ServerError,
    TemporarilyUnavailable,
)
from .consent import Consent, PendingAuthorization


class Authorize(Consent):
    @http.route(
        metadata.AUTHORIZATION_ENDPOINT,
        type='http',
        auth='public',
        methods=['GET', 'POST'],
        csrf=False,
        readonly=False,
        sitemap=False,
    )
    def authorize(self):
        """Ask the user whether an application may act for them (RFC 6749 §3.1, §4.1.1).

        GET shows the consent page, or redirects to the application with a code when the
        user has already allowed the requested scope. POST comes from that page; the
        request itself stays in the query string, so that both methods read and check it
        in the same way. The CSRF token is checked below instead of by Odoo, so that a
        failure shows a page that tells the user what to do.
        """
        if self._is_safe_or_prefetch():
            return make_empty_response(204, {'Allow': 'GET, HEAD, OPTIONS, POST', **PAGE})
        try:
            query = parameters.parse(request.httprequest.query_string)
            client = self._identify_client(query)
            uri = get_redirect_uri(query, client)
        except OAuth2Error as error:
            return self._render_error(error)
        if not self._has_session():
            return self._redirect_to_login()
        self._authenticate_user()
        authorization_response = AuthorizationResponse(uri, query.get('state'))
        get_context(request).get_error_response = authorization_response.get_error_redirect
        try:
            return self._authorize(client, validate(query, client, uri), authorization_response)
        except OAuth2Error as error:
            if error.reason != LOGGED:
                self._log_refusal(error)
            return authorization_response.get_redirect(error.to_parameters())

    def _is_safe_or_prefetch(self):
        """Return whether the request does not come from a user action: it must change nothing."""
        headers = request.httprequest.headers
        return request.httprequest.method in ('HEAD', 'OPTIONS') or 'prefetch' in (
            headers.get('Sec-Purpose', '') + headers.get('Purpose', '') + headers.get('X-Moz', '')
        )

    def _has_session(self):
        """Return whether a user is logged in, and still may be."""
        return bool(request.session.uid) and request.env.user._is_session_valid(request.session)

    def _identify_client(self, query):
        """Return the `Client` of the request, and keep it in the context.

        :param Parameters query: those of the request
        :raise InvalidRequest: when there is none; must not be redirected
        """
        client_id = get_client_id(query)
        client = request.env['orestapi.application']._find_client(client_id)
        if client is None:
            archived_id = request.env['orestapi.application']._find_archived(client_id)
            # For the event of the refusal.
            get_context(request).archived_application_id = archived_id
            raise InvalidRequest(
                "The client_id is not that of an application.",
                reason='application_archived' if archived_id else 'client_id',
                sent=client_id,
            )
        get_context(request).client = client
        return client

    def _redirect_to_login(self):
        return make_empty_response(303, {'Location': self._get_login_uri(), **PAGE})

    def _get_login_uri(self):
        return '/web/login?' + urlencode({'redirect': self._get_request_uri()})

    def _get_switch_user_uri(self):
        return '/web/session/logout?' + urlencode({'redirect': self._get_login_uri()})

    def _get_endpoint(self):
        """Return the path that the request came to."""
        return metadata.AUTHORIZATION_ENDPOINT

    def _get_request_uri(self):
        return f'{self._get_endpoint()}?{request.httprequest.query_string.decode("ascii")}'

    def _authenticate_user(self):
        # The route is public because a bad request is answered before any login.
        # From here on it serves users only, and addons that lock idle sessions
        # (auth_timeout) look at the routing.
        routing = {'auth': 'user', 'cors': None}
        request.env['ir.http']._authenticate(types.SimpleNamespace(routing=routing))

    def _authorize(self, client, authorization_request, authorization_response):
        """Answer a valid request with a page, with a code, or with the user's refusal.

        :param Client client: the application
        :param AuthorizationRequest authorization_request: the request
        :param AuthorizationResponse authorization_response: the response to send
        :raise AuthorizationDenied: when the user has pressed *Deny*
        """
        user = request.env.user
        if not user._can_authorize(client):
            error = AuthorizationDenied("The user may not use this application.", reason='user_not_allowed')
            return self._render_not_allowed(client, error, authorization_response)
        pending = PendingAuthorization(
            client=client,
            scope=authorization_request.scope,
            # With the redirect URI, which the request may leave to the settings: they may change
            # while the page is open.
            request_key=b'\0'.join((request.httprequest.query_string, authorization_request.redirect_uri.encode())),
            action=self._get_request_uri(),
            destination=redirect_uris.get_destination(authorization_request.redirect_uri),
        )
        by_setting = None
        if request.httprequest.method == 'POST':
            by_setting = False
            try:
                is_allowed = self._is_allowed(pending)
            except InvalidRequest as error:
                return self._render_error(error, cause='page')
            if not is_allowed:
                raise AuthorizationDenied("The user refused.", reason=LOGGED)
        elif not self._is_consent_given(user, client, authorization_request):
            if not self._is_trusted(client, authorization_request):
                return self._render_consent(pending, self._get_switch_user_uri())
            by_setting = True
            request.env['orestapi.event']._log(
                'consent_by_setting',
                application_id=client.id,
                user_id=user.id,
                detail=', '.join(sorted(authorization_request.scope)),
            )
        return self._issue_code(client, authorization_request, authorization_response, by_setting)

    def _is_consent_given(self, user, client, authorization_request):
        application = self._get_application(client)
        if not application._is_identity_assured(authorization_request.redirect_uri):
            return False
        granted = request.env['orestapi.authorization']._find_granted_scope(user, client)
        return authorization_request.scope <= granted

    def _is_trusted(self, client, authorization_request):
        application = self._get_application(client)
        return application.trusted and application._is_identity_assured(authorization_request.redirect_uri)

    def _issue_code(self, client, authorization_request, authorization_response, by_setting):
        httprequest = request.httprequest
        # PostgreSQL refuses NUL characters, which Odoo's own HTTP server lets through.
        user_agent = (httprequest.user_agent.string or '').replace('\0', '')
        code = request.env['orestapi.authorization.code']._issue(
            request.env.user, client, authorization_request, httprequest.remote_addr, user_agent[:200], by_setting
        )
        return authorization_response.get_redirect({'code': code})

    # Pages

    def _render_not_allowed(self, client, error, authorization_response):
        self._log_refusal(error)
        values = {
            'application': self._get_application(client),
            'user': request.env.user,
            'back': authorization_response.get_uri(error.to_parameters()),
            'switch_user': self._get_switch_user_uri(),
        }
        return self._render('orestapi.not_allowed', values, status=error.status)

    def _render_error(self, error, cause=None):
        """Return the page that tells what is wrong and who can fix it.

        :param OAuth2Error error: the error in terms of the protocol
        :param cause: `page` for a form that was sent too late; by default
            `redirect_uri` for a known application, otherwise `application`
        """
        cause = cause or ('redirect_uri' if get_context(request).client else 'application')
        reference = self._log_refusal(error)
        return self._render('orestapi.error', {'error': error, 'cause': cause, 'reference': reference}, status=400)

    def _log_refusal(self, error):
        """Log an event of a refused request.

        :return: its reference, or None when it was not stored
        """
        context = get_context(request)
        application_id = context.client.id if context.client else context.archived_application_id
        if self._has_session():
            error.user_id = request.session.uid
        return request.env['orestapi.event']._log_refusal(
            'authorization_request_refused', error, application_id, request.httprequest.remote_addr
        )


class AuthorizationResponse:
    """The response to an authorization request, sent to the application by redirect.

    :param str uri: the redirect URI, checked
    :param state: the parameter `state` of the request, or None
    """

    def __init__(self, uri, state):
        self.uri = uri
        self.state = state

    def get_uri(self, parameters):
        """Return the redirect URI with the response parameters in its query."""
        issuer = request.env['orestapi.server']._get_issuer()
        return get_response_uri(self.uri, parameters, self.state, issuer)

    def get_redirect(self, parameters):
        """Return the redirect to the application (RFC 6749 §4.1.2, §4.1.2.1).

        The status is 303, so that no browser forwards the form of the consent page
        (RFC 9700 §4.12).
        """
        return make_empty_response(303, {'Location': self.get_uri(parameters), **PAGE})

    def get_error_redirect(self, exception):
        """Return the redirect that reports a failure of this server to the application."""
        error = TemporarilyUnavailable() if is_outage(exception) else ServerError()
        return self.get_redirect(error.to_parameters())
