import re

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from odoo import http, models
from odoo.http import STORED_SESSION_BYTES, Response, SessionExpiredException, request

from ..dispatchers import cross_origin
from ..dispatchers.application import OAuth2Dispatcher
from ..dispatchers.bearer import authenticate
from ..dispatchers.context import get_context
from ..dispatchers.hooks import attempt
from ..dispatchers.paths import find_dispatcher
from ..oauth2 import bearer, challenge, legacy, metadata, tokens
from ..oauth2.errors import OAuth2Error
from .res_users_authentication import SESSION_KEY

CONTROL = re.compile(r'[\x00-\x1f\x7f]')


class IrHttp(models.AbstractModel):
    _inherit = 'ir.http'

    @classmethod
    def _match(cls, path_info):
        # For several slashes in a row, Odoo would redirect the client to the host in the
        # header `Host`, where an application would send its secret again.
        if '//' in path_info:
            attempt(cls._refuse_slashes, path_info)
        try:
            return super()._match(path_info)
        except RequestRedirect:
            # Checks the path of the request, because http_routing strips a language from
            # `path_info`.
            attempt(cls._refuse_slashes, request.httprequest.path)
            raise
        except (NotFound, MethodNotAllowed) as error:
            # Otherwise an application would get an HTML page, which caches may keep. Only
            # for the path of the request itself: other callers look up where a link leads.
            if path_info == request.httprequest.path:
                dispatcher = attempt(cls._get_error_dispatcher, path_info, error)
                if dispatcher:
                    request.dispatcher = dispatcher
                    if '\0' in path_info:
                        # Odoo would now look for an attachment with this URL, and PostgreSQL
                        # does not accept the NUL character.
                        raise HTTPException(response=request.dispatcher.handle_error(error)) from None
            raise

    @classmethod
    def _refuse_slashes(cls, path):
        """Answer 404 if the path without its repeated slashes belongs to this addon."""
        if dispatcher := find_dispatcher(re.sub('/+', '/', path)):
            request.session.can_save = False
            raise HTTPException(response=dispatcher(request).handle_error(NotFound()))

    @classmethod
    def _get_error_dispatcher(cls, path, error):
        """Return the dispatcher that renders the error for a path or method without a route.

        :return: a dispatcher of this addon, or None for any other path
        """
        if isinstance(error, NotFound):
            dispatcher = find_dispatcher(path)
            return dispatcher and dispatcher(request)
        router = request.env['ir.http'].routing_map().bind_to_environ(request.httprequest.environ)
        rule, _arguments = router.match(path_info=path, method=error.valid_methods[0], return_rule=True)
        dispatcher = http._dispatchers[rule.endpoint.routing['type']](request)
        if not isinstance(dispatcher, OAuth2Dispatcher):
            return None
        dispatcher.allows_origins = rule.endpoint.routing.get('allow_origin', False)
        return dispatcher

    @classmethod
    def _authenticate(cls, endpoint):
        attempt(cls._answer_preflight, endpoint)
        attempt(cls._note_session)
        super()._authenticate(endpoint)

    @classmethod
    def _note_session(cls):
        """Note which session the browser is in: `_post_logout` comes after it has been emptied."""
        session = request.session
        remembered = session.get(SESSION_KEY)
        get_context(request).sid = remembered and remembered['sid']
        if remembered and remembered.get('identifier') not in (None, session.sid[:STORED_SESSION_BYTES]):
            request.env['orestapi.logout.session']._move(session)

    @classmethod
    def _post_logout(cls):
        super()._post_logout()
        attempt(cls._end_session)

    @classmethod
    def _end_session(cls):
        """Tell applications of a logout, whatever has caused it."""
        context, env = get_context(request), request.env
        if not context.sid:
            return
        if context.is_failed:
            # With the locks of what will be lost, the cursor below would wait for ever.
            env.cr.rollback()
        if context.is_failed or env.cr.readonly:
            with env.registry.cursor() as cr:
                env(cr=cr)['orestapi.logout.session']._end_sid(context.sid)
        else:
            env['orestapi.logout.session']._end_sid(context.sid)

    @classmethod
    def _answer_preflight(cls, endpoint):
        # Odoo's own API accepts access tokens of this addon, from web pages too. A browser
        # first sends a preflight request, without a token.
        if endpoint.routing['auth'] == 'bearer' and cross_origin.is_preflight(request):
            response = cross_origin.make_preflight_response(request, endpoint.routing['methods'] or ('GET', 'POST'))
            if 'Access-Control-Allow-Origin' in response.headers:
                request.session.can_save = False
                # An exception without a code makes Odoo send the response unchanged.
                raise HTTPException(response=response)

    @classmethod
    def _allow_origin(cls, response):
        """Let a web page read the response of Odoo's own API to an access token (CORS).

        This does not apply to API keys and sessions: the administrator has listed origins
        of applications, not of other callers of that API.
        """
        if isinstance(request.dispatcher, OAuth2Dispatcher) or not isinstance(response, Response):
            return
        active = get_context(request).active_token
        if active or (request.dispatcher.routing_type == 'json2' and cls._has_our_token()):
            allowed_origins = active.sign_in.client.allowed_origins if active else None
            cross_origin.allow(request, response, allowed_origins)

    @classmethod
    def _has_our_token(cls):
        # Split at any white space, as core does.
        words = request.httprequest.headers.get('Authorization', '').split()
        return len(words) > 1 and words[0].lower() == 'bearer' and words[1].startswith(tokens.PREFIX)

    @classmethod
    def _auth_method_bearer(cls):
        # If the check fails, core asks `res.users.apikeys`, which has no such API key.
        if not attempt(cls._has_our_token):
            super()._auth_method_bearer()
            return
        # Core would report a valid token that lacks the scope as an invalid API key, and
        # would stumble over a session of another user that the browser sends along.
        try:
            string = bearer.get_token(request.httprequest.headers['Authorization'], request.httprequest.args)
            authenticate(request, string, 'rpc')
        except OAuth2Error as error:
            raise cls._get_bearer_error(error) from None
        cls._auth_method_user()

    @classmethod
    def _get_bearer_error(cls, error):
        """Return the exception that makes Odoo answer a bearer request with an error (RFC 6750 §3)."""
        response = request.make_json_response(
            error.to_parameters(),
            status=error.status,
            headers={
                'WWW-Authenticate': challenge.get_bearer(error),
                'Cache-Control': 'no-store',
            },
        )
        cls._allow_origin(response)
        # An exception without a code makes Odoo send the response unchanged.
        return HTTPException(response=response)

    @classmethod
    def _pre_dispatch(cls, rule, args):
        if isinstance(request.dispatcher, OAuth2Dispatcher):
            # Applications do not need the language of a session, its debug mode, or anything
            # else that Odoo prepares for pages.
            request.dispatcher.pre_dispatch(rule, args)
        else:
            super()._pre_dispatch(rule, args)

    @classmethod
    def _dispatch(cls, endpoint):
        if attempt(cls._is_page_of_ours, endpoint):
            # This addon's pages read the request themselves. As keyword arguments, a
            # parameter named `self` would end in status 500.
            request.params = {}
        elif attempt(cls._leads_away, default=True):
            # For the login and its further steps, which lead to the consent page. Browsers
            # and werkzeug remove a tab from a URL after Odoo has checked it, so
            # `/%09/evil.example` would leave this site after the login (RFC 9700 §4.11.2).
            # If the check itself fails, the parameter is removed as well.
            request.params.pop('redirect', None)
        return super()._dispatch(endpoint)

    @classmethod
    def _is_page_of_ours(cls, endpoint):
        return endpoint.routing['type'] == 'http' and find_dispatcher(endpoint.routing['routes'][0])

    @classmethod
    def _leads_away(cls):
        return request.httprequest.path.startswith('/web/') and CONTROL.search(str(request.params.get('redirect', '')))

    @classmethod
    def _post_dispatch(cls, response):
        super()._post_dispatch(response)
        attempt(cls._allow_origin, response)
        # On the way to the consent page, not even pages of this site may frame a step of the
        # login (RFC 9700 §4.16): the password, a second factor, or a step of another addon.
        if attempt(cls._leads_to_consent):
            response.headers['X-Frame-Options'] = 'DENY'
            response.headers['Content-Security-Policy'] = "frame-ancestors 'none'"
            response.headers['Referrer-Policy'] = 'no-referrer'

    @classmethod
    def _leads_to_consent(cls):
        endpoints = (metadata.AUTHORIZATION_ENDPOINT, legacy.AUTHORIZATION_ENDPOINT)
        return str(request.params.get('redirect', '')).startswith(endpoints)

    @classmethod
    def _handle_error(cls, exception):
        # Set by the authorization endpoint once it knows where to report errors
        # (RFC 6749 §4.1.2.1: the browser must not see a status 500 instead).
        get_response = get_context(request).get_error_response
        # Core logs out of a session that has expired here, after the transaction.
        get_context(request).is_failed = True
        if get_response and not isinstance(exception, (HTTPException, SessionExpiredException)):
            return get_response(exception)
        response = super()._handle_error(exception)
        attempt(cls._allow_origin, response)
        return response
