import types
from urllib.parse import urlencode

from odoo import http
from odoo.http import STORED_SESSION_BYTES, request
from odoo.tools import consteq, hmac

from ..oauth2 import authorization_request, legacy, metadata, parameters, redirect_uri, scope
from ..oauth2.errors import LOGGED, AccessDenied, InvalidRequest, OAuth2Error, ServerError, TemporarilyUnavailable
from .dispatcher import is_outage

#: RFC 9700 §2.6, §4.2.4, §4.16; RFC 6819 §4.4.1.9, §4.6.6: of every answer here.
HEADERS = {
    'Cache-Control': 'no-store',
    'Pragma': 'no-cache',
    'Referrer-Policy': 'no-referrer',
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    # From this server and nowhere else: a website may import its fonts from another one.
    'Content-Security-Policy': "default-src 'self' 'unsafe-inline' data:; frame-ancestors 'none'",
}


class Authorize(http.Controller):
    @http.route(
        [metadata.AUTHORIZATION_ENDPOINT, legacy.AUTHORIZATION_ENDPOINT],
        type='http',
        auth='public',
        methods=['GET', 'POST'],
        csrf=False,
        readonly=False,
        sitemap=False,
    )
    def authorize(self):
        """Ask the user whether an application may act for them (RFC 6749 §3.1, §4.1.1).

        GET shows the consent page, or goes straight back to the application with
        a code when the user has already allowed what is asked. POST is the
        answer of that page; the request itself stays in the query string, so
        that both read and check it in the same way. The CSRF token is checked
        below instead of by Odoo, to answer with a page that says what to do.
        """
        if self._is_idle():
            return self._respond(http.Response(status=204, headers={'Allow': 'GET, HEAD, OPTIONS, POST'}))
        try:
            query = parameters.parse(request.httprequest.query_string)
            client, uri = self._get_client(query)
        except OAuth2Error as error:
            return self._render_error(error)
        if not request.session.uid or not request.env.user._is_session_valid(request.session):
            return self._redirect_to_login()
        self._authenticate_user()
        answer = Answer(uri, query.get('state'))
        request.oauth2_error_response = answer.get_error_response
        try:
            authorization = authorization_request.validate(query, client, uri)
            return self._authorize(client, authorization, answer)
        except OAuth2Error as error:
            if error.reason != LOGGED:
                self._log_refusal(error)
            return answer.get_response(error.to_parameters())

    def _is_idle(self):
        """Return whether the request is none by a user: it must change nothing."""
        headers = request.httprequest.headers
        return request.httprequest.method in ('HEAD', 'OPTIONS') or 'prefetch' in (
            headers.get('Sec-Purpose', '') + headers.get('Purpose', '') + headers.get('X-Moz', '')
        )

    def _get_client(self, query):
        client_id = authorization_request.get_client_id(query)
        client = request.env['orestapi.application']._find_client(client_id)
        if client is None:
            archived_id = request.env['orestapi.application']._find_archived(client_id)
            # For the event.
            request.oauth2_archived_id = archived_id
            raise InvalidRequest(
                "The client_id is not that of an application.",
                reason='application_archived' if archived_id else 'client_id',
                sent=client_id,
            )
        request.oauth2_client = client
        if self._get_endpoint() == legacy.AUTHORIZATION_ENDPOINT:
            client = legacy.relax(client)
        return client, authorization_request.get_redirect_uri(query, client)

    def _redirect_to_login(self):
        return self._respond(http.Response(status=303, headers={'Location': self._get_login_uri()}))

    def _get_login_uri(self):
        return '/web/login?' + urlencode({'redirect': self._get_request_uri()})

    def _get_switch_user_uri(self):
        return '/web/session/logout?' + urlencode({'redirect': self._get_login_uri()})

    def _get_application(self, client):
        # sudo: orestapi.application - what the page shows of it, and whether to ask the user
        return request.env['orestapi.application'].sudo().browse(client.id)

    def _get_endpoint(self):
        """Return which of its two addresses the request came to."""
        # Odoo serves a path with a slash at the end as well.
        path = request.httprequest.path.rstrip('/')
        return path if path == legacy.AUTHORIZATION_ENDPOINT else metadata.AUTHORIZATION_ENDPOINT

    def _get_request_uri(self):
        return f'{self._get_endpoint()}?{request.httprequest.query_string.decode("ascii")}'

    def _authenticate_user(self):
        # The route is public because a bad request is answered before any login.
        # From here on it is one for users, and addons that lock sessions after a
        # while (auth_timeout) go by the routing.
        routing = {'auth': 'user', 'cors': None}
        request.env['ir.http']._authenticate(types.SimpleNamespace(routing=routing))

    def _authorize(self, client, authorization, answer):
        user = request.env.user
        if not user._can_authorize(client):
            error = AccessDenied(description="The user may not use this application.", reason='user_not_allowed')
            return self._render_not_allowed(client, error, answer)
        if request.httprequest.method == 'POST':
            return self._decide(client, authorization, answer)
        if self._is_consent_given(user, client, authorization):
            return self._issue_code(client, authorization, answer)
        if self._is_trusted(client, authorization):
            request.env['orestapi.event']._log(
                'consent_by_setting',
                application_id=client.id,
                user_id=user.id,
                detail=', '.join(sorted(authorization.scope)),
            )
            return self._issue_code(client, authorization, answer)
        return self._render_consent(client, authorization)

    def _is_consent_given(self, user, client, authorization):
        application = self._get_application(client)
        if not application._is_identity_assured(authorization.redirect_uri):
            return False
        granted = request.env['orestapi.authorization']._find_granted_scope(user, client)
        return authorization.scope <= granted

    def _is_trusted(self, client, authorization):
        application = self._get_application(client)
        return application.trusted and application._is_identity_assured(authorization.redirect_uri)

    def _decide(self, client, authorization, answer):
        form = request.httprequest.form
        csrf_token, displayed = form.get('csrf_token', ''), form.get('consent', '')
        # Neither comparison takes other text than ASCII: it raises.
        if not (
            (csrf_token + displayed).isascii()
            and request.validate_csrf(csrf_token)
            and consteq(displayed, self._sign_request(client, authorization))
        ):
            return self._render_error(
                InvalidRequest("The page was open too long, or was opened elsewhere.", reason='page'), cause='page'
            )
        event = request.env['orestapi.event']
        if form.get('decision') != 'allow':
            event._log_decision('consent_refused', client.id)
            raise AccessDenied(description="The user refused.", reason=LOGGED)
        event._log_decision('consent_given', client.id, detail=', '.join(sorted(authorization.scope)))
        return self._issue_code(client, authorization, answer)

    def _sign_request(self, client, authorization):
        """Return what binds the consent page to what it shows, and to whom.

        The CSRF token proves that the answer comes from a page of this session;
        this, that it comes from the page of this very request (RFC 6819 §4.4.1.10).
        What the request leaves to the settings of the application is part of it
        too: they may change while the page is open.
        """
        return hmac(
            # sudo: ir.config_parameter - the key is the secret of the database
            request.env(su=True),
            'orestapi.consent',
            (
                # The rest of the session id changes every few hours, as for the CSRF token.
                request.session.sid[:STORED_SESSION_BYTES],
                request.env.uid,
                client.id,
                authorization.redirect_uri,
                scope.render(authorization.scope),
                request.httprequest.query_string,
            ),
        )

    def _issue_code(self, client, authorization, answer):
        httprequest = request.httprequest
        # PostgreSQL refuses a NUL character, which Odoo's own HTTP server lets through.
        user_agent = (httprequest.user_agent.string or '').replace('\0', '')
        code = request.env['orestapi.authorization.code']._issue(
            request.env.user, client, authorization, httprequest.remote_addr, user_agent[:200]
        )
        return answer.get_response({'code': code})

    # Pages

    def _render_consent(self, client, authorization):
        # sudo: orestapi.scope - their descriptions
        scopes = request.env['orestapi.scope'].sudo().search([('name', 'in', list(authorization.scope))])
        return self._render(
            'orestapi.consent',
            {
                'application': self._get_application(client),
                'scopes': scopes,
                'user': request.env.user,
                'destination': redirect_uri.get_destination(authorization.redirect_uri),
                'action': self._get_request_uri(),
                'consent': self._sign_request(client, authorization),
                'switch_user': self._get_switch_user_uri(),
            },
        )

    def _render_not_allowed(self, client, error, answer):
        self._log_refusal(error)
        values = {
            'application': self._get_application(client),
            'user': request.env.user,
            'back': answer.get_uri(error.to_parameters()),
            'switch_user': self._get_switch_user_uri(),
        }
        return self._render('orestapi.not_allowed', values, status=error.status)

    def _render_error(self, error, cause=None):
        """Return the page that says what is wrong, and for whom to fix.

        :param OAuth2Error error: what the protocol calls it
        :param cause: `page` for a form that was sent too late; by default it is
            the redirect URI of an application that is known, or the application
        """
        cause = cause or ('redirect_uri' if getattr(request, 'oauth2_client', None) else 'application')
        reference = self._log_refusal(error)
        return self._render('orestapi.error', {'error': error, 'cause': cause, 'reference': reference}, status=400)

    def _log_refusal(self, error):
        """Leave an event of a refused request.

        :return: its reference, or None when it was not kept
        """
        client = getattr(request, 'oauth2_client', None)
        application_id = client.id if client else getattr(request, 'oauth2_archived_id', None)
        if request.session.uid and request.env.user._is_session_valid(request.session):
            error.user_id = request.session.uid
        return request.env['orestapi.event']._log_refusal(
            'authorization_request_refused', error, application_id, request.httprequest.remote_addr
        )

    def _render(self, template, values, status=200):
        response = request.render(template, values, status=status)
        # At once, while the environment is the one that the values belong to.
        response.flatten()
        return self._respond(response)

    def _respond(self, response):
        response.headers.update(HEADERS)
        return response


class Answer:
    """Where the authorization response goes, and how to send it.

    :param str uri: the redirect URI, checked
    :param state: the parameter `state` of the request, or None
    """

    def __init__(self, uri, state):
        self.uri = uri
        self.state = state

    def get_uri(self, response):
        """Return the address of the application with the response in it."""
        issuer = request.env['orestapi.application']._get_issuer()
        return authorization_request.get_response_uri(self.uri, response, self.state, issuer)

    def get_response(self, response):
        """Return the redirect to the application (RFC 6749 §4.1.2, §4.1.2.1).

        303, so that no browser sends the form of the consent page on
        (RFC 9700 §4.12).
        """
        return http.Response(status=303, headers={'Location': self.get_uri(response), **HEADERS})

    def get_error_response(self, exception):
        """Return the redirect that reports a failure of ours to the application."""
        error = TemporarilyUnavailable() if is_outage(exception) else ServerError()
        return self.get_response(error.to_parameters())
