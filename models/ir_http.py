import re

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from odoo import http, models
from odoo.http import SessionExpiredException, request

from ..controllers.dispatcher import OAuth2Dispatcher
from ..controllers.hooks import attempt
from ..controllers.prefixes import find_dispatcher
from ..oauth2 import bearer, challenge, legacy, metadata, token
from ..oauth2.errors import InsufficientScope, InvalidToken, OAuth2Error

CONTROL = re.compile(r'[\x00-\x1f\x7f]')


class IrHttp(models.AbstractModel):
    _inherit = 'ir.http'

    @classmethod
    def _match(cls, path_info):
        if '//' in path_info and (dispatcher := attempt(find_dispatcher, re.sub('/+', '/', path_info))):
            # Else whoever asks would be sent on, to the host that the header `Host` names,
            # and would send its secret there once more.
            raise HTTPException(response=dispatcher(request).handle_error(NotFound()))
        try:
            return super()._match(path_info)
        except (NotFound, MethodNotAllowed) as error:
            # Else an application would get a page in HTML, which caches may keep.
            # Only of the request itself: others look up what a link leads to.
            if path_info == request.httprequest.path:
                dispatcher = attempt(cls._get_error_dispatcher, path_info, error)
                if dispatcher:
                    request.dispatcher = dispatcher(request)
                    if '\0' in path_info:
                        # Odoo would go on to look for an attachment at the address, and
                        # PostgreSQL knows no such character.
                        raise HTTPException(response=request.dispatcher.handle_error(error)) from None
            raise

    @classmethod
    def _get_error_dispatcher(cls, path, error):
        """Return the class of the dispatcher that answers an address or a method without a route.

        :return: one of ours, or None where an address is not ours
        """
        if isinstance(error, NotFound):
            return find_dispatcher(path)
        router = request.env['ir.http'].routing_map().bind_to_environ(request.httprequest.environ)
        rule, _arguments = router.match(path_info=path, method=error.valid_methods[0], return_rule=True)
        dispatcher = http._dispatchers[rule.endpoint.routing['type']]
        return dispatcher if issubclass(dispatcher, OAuth2Dispatcher) else None

    @classmethod
    def _auth_method_bearer(cls):
        authorization = request.httprequest.headers.get('Authorization', '')
        # Where nobody can tell, core asks `res.users.apikeys`, which knows no API key like it.
        if not attempt(cls._is_ours, authorization):
            super()._auth_method_bearer()
            return
        # Not left to core, which would answer a valid token without the scope
        # as an invalid API key, and would mind a session of another user that
        # the browser happens to send along.
        try:
            string = bearer.get_token(authorization, request.httprequest.args)
            sign_in = request.env['orestapi.token']._authenticate_bearer(string)
            if not sign_in:
                raise InvalidToken("The access token is not valid.")
            if 'rpc' not in sign_in['token_scope']:
                raise InsufficientScope("The access token lacks the scope rpc.", scope='rpc')
        except OAuth2Error as error:
            raise cls._get_bearer_error(error) from None
        request.oauth2_sign_in = sign_in
        cls._serve_sign_in(sign_in)
        cls._auth_method_user()

    @classmethod
    def _is_ours(cls, authorization):
        # Split as widely as core does it, which takes any white space for a blank.
        words = authorization.split()
        return len(words) > 1 and words[0].lower() == 'bearer' and words[1].startswith(token.PREFIX)

    @classmethod
    def _serve_sign_in(cls, sign_in):
        """Serve the request as the user of an access token, and as nobody else.

        A browser may send a session along, and it may be that of another user, who has
        just confirmed their own password: core would take it for a confirmation of the
        token's user and hand out an API key (`check_identity`).

        :param dict sign_in: see `orestapi.token._authenticate_bearer`
        """
        if not request.session.is_new:
            request.session = http.root.session_store.new()
            request.session.update({
                **http.get_default_session(),
                'context': {'lang': request.default_lang()},
                'db': request.db,
            })
        request.session.can_save = False
        request.update_env(user=sign_in['user_id'])
        request.env['orestapi.token']._serve_request(sign_in)

    @classmethod
    def _get_bearer_error(cls, error):
        """Return the exception that answers a bearer request with an error (RFC 6750 §3)."""
        response = request.make_json_response(
            error.to_parameters(),
            status=error.status,
            headers={
                'WWW-Authenticate': challenge.get_bearer(error),
                'Cache-Control': 'no-store',
            },
        )
        # Without a code, Odoo sends the response as it is.
        return HTTPException(response=response)

    @classmethod
    def _pre_dispatch(cls, rule, args):
        if isinstance(request.dispatcher, OAuth2Dispatcher):
            # What applications call has no use for the language of a session, its
            # debug mode, or what else Odoo finds out for the pages of a person.
            request.dispatcher.pre_dispatch(rule, args)
        else:
            super()._pre_dispatch(rule, args)

    @classmethod
    def _dispatch(cls, endpoint):
        if attempt(cls._is_page_of_ours, endpoint):
            # Our pages read the request themselves. As keyword arguments, a parameter
            # of a stranger that is called `self` would end in a status 500.
            request.params = {}
        elif attempt(cls._leads_away, default=True):
            # Of the login and its further steps, which lead to the consent page.
            # Browsers and werkzeug remove a tab from an address, after Odoo has
            # looked at it: `/%09/evil.example` would leave this site after the
            # login (RFC 9700 §4.11.2). Nor is there a way on where nobody can tell.
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
        # On the way to the consent page, not even pages of this site may frame a
        # step of the login (RFC 9700 §4.16): the password, a second factor, or
        # what else an addon asks for.
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
        get_response = getattr(request, 'oauth2_error_response', None)
        if get_response and not isinstance(exception, (HTTPException, SessionExpiredException)):
            return get_response(exception)
        return super()._handle_error(exception)
