import contextlib
import dataclasses
import types
from urllib.parse import urlencode

from odoo import http
from odoo.http import SessionExpiredException, request

from ..dispatchers.application import is_outage
from ..dispatchers.context import get_context
from ..dispatchers.cross_origin import make_empty_response
from ..dispatchers.headers import FORM_POST_POLICY, PAGE
from ..dispatchers.paths import LOGIN as LOGIN_PAGE
from ..oauth2 import metadata, parameters, redirect_uris
from ..oauth2.authorization_request import (
    get_client_id,
    get_redirect_uri,
    get_response_parameters,
    get_response_uri,
    validate,
)
from ..oauth2.errors import (
    LOGGED,
    AuthorizationDenied,
    InvalidRequest,
    OAuth2Error,
    RequestTooLarge,
    ServerError,
    TemporarilyUnavailable,
)
from ..oauth2.scopes import OPENID
from ..openid import authentication_request, claims, required_login
from ..openid.authentication import ONE_TIME_PASSWORD
from ..openid.authentication_request import CONSENT, FORM_POST, LOGIN, QUERY, SELECT_ACCOUNT
from ..openid.errors import ConsentRequired, LoginRequired
from .consent import Consent, PendingAuthorization
from .page import find_wished_language, make_redirect, render_page

#: Maximum length of an authentication request that comes by POST and is redirected as a URL.
MAX_REQUEST = 16 * 1024


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
            if posted := self._redirect_posted():
                return posted
            query = parameters.parse(request.httprequest.query_string)
            client = self._identify_client(query)
            uri = get_redirect_uri(query, client)
        except OAuth2Error as error:
            return self._render_error(error)
        if not self._is_authentication_request(query, client):
            if not self._has_session():
                return self._redirect_to_login()
            self._authenticate_user()
            return self._answer(AuthorizationResponse(uri, query.get('state')), self._authorize, query, client, uri)
        if self._get_endpoint() != metadata.AUTHORIZATION_ENDPOINT:
            # The login that a request needs is remembered for one path only.
            return make_redirect(self._get_request_uri(metadata.AUTHORIZATION_ENDPOINT))
        authorization_response = AuthorizationResponse(
            uri, query.get('state'), authentication_request.find_response_mode(query)
        )
        # Core §3.1.2.1: with `prompt=none`, not even the login page may be shown.
        if not authentication_request.is_silent(query):
            if not self._has_session():
                return self._redirect_to_login(self._require_login(query), find_wished_language())
            self._authenticate_user()
        return self._answer(authorization_response, self._authorize_openid, query, client, uri)

    def _is_authentication_request(self, query, client):
        """Return whether a request asks who the user is, or did so before its scope was changed on the way."""
        return authentication_request.is_authentication_request(query, client) or (
            OPENID in client.scope and request.env['orestapi.login']._is_required(required_login.compute_key(query))
        )

    def _answer(self, authorization_response, authorize, query, client, uri):
        """Run a step of the endpoint, and return its errors in the form for the application.

        :param AuthorizationResponse authorization_response: the response to send
        :param authorize: the step
        """
        get_context(request).get_error_response = authorization_response.get_error_redirect
        try:
            return authorize(query, client, uri, authorization_response)
        except OAuth2Error as error:
            if error.reason != LOGGED:
                self._log_refusal(error)
            return authorization_response.get_response(error.to_parameters())

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

    def _redirect_posted(self):
        """Return the redirect of an authentication request that came by POST, or None for any other request.

        Core §3.1.2.1 has both methods. Browsers send the cookie of the session with a GET
        that comes from another site, and not with a POST.

        :raise RequestTooLarge: if the URL would be too long
        """
        if request.httprequest.method != 'POST' or request.httprequest.query_string:
            return None
        body = urlencode(list(request.httprequest.form.items(multi=True)))
        posted = parameters.parse(body.encode())
        client = request.env['orestapi.application']._find_client(posted.get('client_id') or '')
        if client is None or not authentication_request.is_authentication_request(posted, client):
            return None
        get_context(request).client = client
        return self._redirect_body(metadata.AUTHORIZATION_ENDPOINT, body)

    def _redirect_body(self, path, body):
        """Return the redirect that repeats a posted request as a GET.

        :param str path: where the request came to
        :param str body: the encoded form
        :raise RequestTooLarge: if the URL would be too long
        """
        if len(body) > MAX_REQUEST:
            raise RequestTooLarge("The request is too large.", reason='too_large')
        return make_redirect(f'{path}?{body}')

    def _redirect_to_login(self, hint=None, language=None):
        """Return the redirect to Odoo's login page, which leads back to the request.

        :param hint: what to fill in, or None
        :param language: the code of the language of that page, or None for that of the browser
        """
        if language:
            # Until the login: then the session gets the context of the user.
            request.session.context = {**request.session.context, 'lang': language}
        return make_redirect(self._get_login_uri(hint))

    def _get_login_uri(self, hint=None):
        """Return the address of Odoo's login page, which leads back to the request.

        :param hint: what to fill in, or None
        """
        return '/web/login?' + urlencode({'redirect': self._get_request_uri(), **({'login': hint} if hint else {})})

    def _get_switch_user_uri(self, key=None):
        """Return the URL at which another user logs in.

        :param key: the key of an authentication request, whose required login is kept then
        """
        if key:
            return self._get_request_uri(LOGIN_PAGE)
        return '/web/session/logout?' + urlencode({'redirect': self._get_login_uri()})

    def _get_endpoint(self):
        """Return the path that the request came to."""
        return metadata.AUTHORIZATION_ENDPOINT

    def _get_request_uri(self, path=None):
        """Return the address of the request, or of another page that reads the same request."""
        return f'{path or self._get_endpoint()}?{request.httprequest.query_string.decode("ascii")}'

    def _authenticate_user(self):
        # The route is public because a bad request is answered before any login.
        # From here on it serves users only, and addons that lock idle sessions
        # (auth_timeout) look at the routing.
        routing = {'auth': 'user', 'cors': None}
        request.env['ir.http']._authenticate(types.SimpleNamespace(routing=routing))

    def _authorize(self, query, client, uri, authorization_response):
        """Answer a request for access: with a page, with a code, or with the refusal of the user.

        :param Parameters query: those of the request
        :param Client client: the application
        :param str uri: the redirect URI, checked
        :param AuthorizationResponse authorization_response: the response to send
        :raise OAuth2Error: to be sent to the application
        """
        authorization_request = validate(query, client, uri)
        if not request.env.user._can_authorize(client):
            return self._render_not_allowed(client, self._get_not_allowed(), authorization_response)
        return self._ask(client, authorization_request, authorization_response)

    def _authorize_openid(self, query, client, uri, authorization_response):
        """Answer an authentication request likewise (Core §3.1.2).

        :raise LoginRequired, ConsentRequired: where a page would be needed that the request forbids
        """
        authorization_request = validate(query, client, uri)
        asked = authentication_request.validate(query)
        expected = {asked.claims.subject} - {None}
        if asked.id_token_hint:
            expected.add(request.env['orestapi.openid']._read_hint(asked.id_token_hint, client))
        if not asked.allows_page:
            self._authenticate_silently()
        user = request.env.user
        if not user._can_authorize(client):
            if not asked.allows_page:
                raise self._get_not_allowed()
            return self._render_not_allowed(client, self._get_not_allowed(), authorization_response)
        if not expected <= {request.env['orestapi.subject']._get_subject(user.id, client)}:
            raise LoginRequired("Another user is logged in than the one that was asked for.", reason=LOGGED)
        login, key = request.env['orestapi.login'], required_login.compute_key(query)
        if missing := login._find_missing(asked, key):
            if not asked.allows_page:
                raise LoginRequired("The user must log in.", reason=LOGGED)
            login._require(key)
            problem = login._send_code() if missing == ONE_TIME_PASSWORD else None
            return self._render_login(client, missing, problem)
        # The user is asked for single claims by the scope that carries them.
        names = asked.claims.userinfo | asked.claims.id_token
        authorization_request = dataclasses.replace(
            authorization_request,
            scope=authorization_request.scope | (claims.get_scope(names, client.defined_claims) & client.scope),
        )
        return self._ask(client, authorization_request, authorization_response, asked, key)

    def _get_not_allowed(self):
        return AuthorizationDenied("The user may not use this application.", reason='user_not_allowed')

    def _require_login(self, query):
        """Note that an authentication request needs a login, even if its URL is changed later.

        :param Parameters query: those of the request, perhaps with errors in it, which the application is told later
        :return: what to fill into the login page, or None
        """
        try:
            asked = authentication_request.validate(query)
        except OAuth2Error:
            return None
        if LOGIN in asked.prompt or asked.max_age is not None:
            request.env['orestapi.login']._require(required_login.compute_key(query))
        return asked.login_hint

    def _authenticate_silently(self):
        """Authenticate the user of the session, if there is one.

        :raise LoginRequired: without a user, and where an addon has locked the session (auth_timeout)
        """
        with contextlib.suppress(SessionExpiredException):
            if self._has_session():
                self._authenticate_user()
                return
        raise LoginRequired("The user must log in.", reason=LOGGED)

    def _ask(self, client, authorization_request, authorization_response, asked=None, key=None):
        """Ask the user for consent where that is needed, and answer with a code.

        :param Client client: the application
        :param AuthorizationRequest authorization_request: the request
        :param AuthorizationResponse authorization_response: the response to send
        :param AuthenticationRequest asked: what it asks about the login, or None
        :param key: what an authentication request is known by
        :raise AuthorizationDenied: when the user has pressed *Deny*
        :raise ConsentRequired: where the request forbids the page
        """
        user = request.env.user
        shows_page = asked is not None and bool(asked.prompt & {CONSENT, SELECT_ACCOUNT})
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
        elif shows_page or not self._is_consent_given(user, client, authorization_request):
            if shows_page or not self._is_trusted(client, authorization_request):
                if asked and not asked.allows_page:
                    raise ConsentRequired("The user must be asked.", reason=LOGGED)
                return self._render_consent(pending, self._get_switch_user_uri(key))
            by_setting = True
            request.env['orestapi.event']._log(
                'consent_by_setting',
                application_id=client.id,
                user_id=user.id,
                detail=', '.join(sorted(authorization_request.scope)),
            )
        login = request.env['orestapi.login']._describe(asked, key, client) if asked else None
        response = self._issue_code(client, authorization_request, authorization_response, by_setting, login)
        if asked:
            request.env['orestapi.login']._finish(key)
        return response

    def _is_consent_given(self, user, client, authorization_request):
        if not redirect_uris.is_identity_assured(authorization_request.redirect_uri):
            return False
        granted = request.env['orestapi.authorization']._find_granted_scope(user, client)
        return authorization_request.scope <= granted

    def _is_trusted(self, client, authorization_request):
        trusted = self._get_application(client).trusted
        return trusted and redirect_uris.is_identity_assured(authorization_request.redirect_uri)

    def _issue_code(self, client, authorization_request, authorization_response, by_setting, login=None):
        httprequest = request.httprequest
        # PostgreSQL refuses NUL characters, which Odoo's own HTTP server lets through.
        user_agent = (httprequest.user_agent.string or '').replace('\0', '')
        code = request.env['orestapi.authorization.code']._issue(
            request.env.user,
            client,
            authorization_request,
            httprequest.remote_addr,
            user_agent[:200],
            by_setting,
            login,
        )
        if login:
            request.env['orestapi.logout.session']._begin(request.session, client, request.env.uid)
        return authorization_response.get_response({'code': code})

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

    def _render_login(self, client, missing, problem=None):
        """Return the page at which users prove who they are once more.

        :param str missing: the credential that it asks for, see `authentication.find_missing`
        :param problem: what was wrong with the last one, as a sentence, or None
        """
        values = {
            'application': self._get_application(client),
            'user': request.env.user,
            'action': self._get_request_uri(LOGIN_PAGE),
            'missing': missing,
            'problem': problem,
        }
        return self._render('orestapi.login', values)

    def _render_error(self, error, cause=None):
        """Return the page that tells what is wrong and who can fix it.

        :param OAuth2Error error: the error in terms of the protocol
        :param cause: `page` for a form that was sent too late; by default
            `redirect_uri` for a known application, otherwise `application`
        """
        cause = cause or ('redirect_uri' if get_context(request).client else 'application')
        reference = self._log_refusal(error)
        values = {'error': error, 'cause': cause, 'reference': reference}
        return self._render('orestapi.error', values, status=error.status)

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
    :param str mode: how it travels: in the address (`query`), or in a form (`form_post`)
    """

    def __init__(self, uri, state, mode=QUERY):
        self.uri = uri
        self.state = state
        self.mode = mode

    def get_uri(self, parameters):
        """Return the redirect URI with the response parameters in its query."""
        issuer = request.env['orestapi.server']._get_issuer()
        return get_response_uri(self.uri, parameters, self.state, issuer)

    def get_response(self, parameters):
        """Return the redirect to the application (RFC 6749 §4.1.2, §4.1.2.1), or the page that posts there.

        The status is 303, so that no browser forwards the form of the consent page
        (RFC 9700 §4.12).
        """
        if self.mode == FORM_POST:
            issuer = request.env['orestapi.server']._get_issuer()
            fields = get_response_parameters(parameters, self.state, issuer)
            page = render_page('orestapi.form_post', {'uri': self.uri, 'fields': fields})
            page.flatten()
            page.headers['Content-Security-Policy'] = FORM_POST_POLICY
            return page
        return self._get_redirect(parameters)

    def _get_redirect(self, parameters):
        return make_redirect(self.get_uri(parameters))

    def get_error_redirect(self, exception):
        """Return the redirect that reports a failure of this server to the application."""
        error = TemporarilyUnavailable() if is_outage(exception) else ServerError()
        # Always as a redirect, because the rendering of pages may have failed.
        return self._get_redirect(error.to_parameters())
