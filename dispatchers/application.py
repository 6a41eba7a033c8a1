"""The dispatcher between Odoo's router and the routes that applications call."""

import contextlib
import inspect
import json
import logging

import psycopg2
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from odoo import http

from ..oauth2 import challenge, client_authentication, errors, parameters
from ..oauth2.errors import LOGGED, InvalidRequest, OAuth2Error, RequestTooLarge, ServerError, TemporarilyUnavailable
from . import autocommit, cross_origin
from .context import get_context


def application_route(path, **routing):
    """Declare a route for applications, which authenticate in each request without a browser session.

    :param routing: the other parameters of `odoo.http.route`; `allow_origin` lets web pages of an application call
        the route, or with `cross_origin.ANY` all pages; `autocommit` declares that the handler only reads, see
        `dispatchers.autocommit`
    """

    def decorate(method):
        # Odoo reads the signature at each request, and Python would compute it each time.
        method.__signature__ = inspect.signature(method)
        return http.route(path, auth='none', csrf=False, save_session=False, **routing)(method)

    return decorate


def is_outage(exception):
    """Return whether an exception means that the database cannot serve the request now.

    Odoo has retried several times, or the database is gone. An `InterfaceError` follows a
    lost connection, from the rollback or the next statement. psycopg2 reports the loss as
    a `DatabaseError` without a PostgreSQL code when it resets a connection.
    """
    return isinstance(exception, (psycopg2.OperationalError, psycopg2.InterfaceError)) or (
        type(exception) is psycopg2.DatabaseError and exception.pgcode is None
    )


class OAuth2Dispatcher(http.Dispatcher):
    """Serves the endpoints that applications call: `type='orestapi_protocol'`.

    Odoo's own dispatchers would merge query and body, drop repeated parameters, and
    render errors in HTML. This one reads the body as RFC 6749 requires and always answers
    in JSON. An OAuth error is returned, not raised through Odoo, because Odoo would roll
    back the traces that the error must leave: an ended sign-in, a counted failure, an
    event.
    """

    routing_type = 'orestapi_protocol'
    #: Bytes of a request body, far more than any honest request has.
    max_content_length = 16 * 1024
    #: Errors for unknown paths and unsupported methods.
    not_found, method_not_allowed = errors.UnknownPath, errors.UnsupportedMethod
    #: Whether web pages of an application may read errors of unknown paths (CORS). Routes
    #: decide for themselves: introspection needs a secret, which a page does not have, and
    #: the older connector is not a page.
    allows_origins = True

    @classmethod
    def is_compatible_with(cls, request):
        # This dispatcher answers other media types itself, with an OAuth error.
        return True

    def pre_dispatch(self, rule, args):
        self.allows_origins = rule.endpoint.routing.get('allow_origin', False)
        super().pre_dispatch(rule, args)

    def dispatch(self, endpoint, args):
        httprequest = self.request.httprequest
        # For logs and for overrides of core methods; the endpoints do not read it.
        self.request.params = dict(args)
        try:
            if httprequest.method == 'OPTIONS':
                # Odoo adds the method to every route and would run the handler.
                return self._get_preflight_response(endpoint)
            if endpoint.routing.get('autocommit'):
                autocommit.enter(self.request.env.cr)
            response = self.request.registry['ir.http']._dispatch(endpoint)
        except OAuth2Error as error:
            self._log_refusal(error)
            response = self._get_error_response(error)
        return self._allow_origin(response)

    def _log_refusal(self, error):
        """Log an event of an error, unless it has one already."""
        if error.reason == LOGGED or self.request.env.cr.readonly:
            return
        client = get_context(self.request).client or self._find_claimed_client()
        autocommit.leave(self.request.env.cr)
        self.request.env['orestapi.event']._log_refusal(
            'request_refused', error, client and client.id, self.request.httprequest.remote_addr
        )

    def _find_claimed_client(self):
        """Return the application that a request claims to come from, or None; the claim is not proven."""
        httprequest = self.request.httprequest
        with contextlib.suppress(OAuth2Error):
            sent = get_context(self.request).parameters or parameters.parse(httprequest.query_string)
            client_id = sent.get('client_id')
            if client_id is None:
                authorization = httprequest.headers.get('Authorization')
                client_id = client_authentication.parse(authorization, parameters.Parameters(())).client_id
            return self.request.env['orestapi.application']._find_client(client_id)
        return None

    def read_request(self):
        """Return the parameters of the request, and its header `Authorization` or None.

        :raise InvalidRequest: when they were not sent as RFC 6749 requires
        """
        httprequest = self.request.httprequest
        if httprequest.query_string:
            # RFC 6749 §2.3.1 and §3.2: secrets in a URL end up in logs, and no endpoint has
            # a parameter that belongs there.
            raise InvalidRequest(
                "The parameters must be in the body, not in the query string.", reason='parameters_in_query'
            )
        return parameters.parse(self._read_body()), httprequest.headers.get('Authorization')

    def _read_body(self):
        httprequest = self.request.httprequest
        if (httprequest.content_length or 0) > self.max_content_length:
            raise RequestTooLarge("The request body is too large.", reason='too_large')
        if httprequest.mimetype != parameters.MEDIA_TYPE:
            raise InvalidRequest(
                f"The request body must be {parameters.MEDIA_TYPE}.", reason='media_type', sent=httprequest.mimetype
            )
        # For a body without a declared length (`Transfer-Encoding: chunked`). One byte more
        # than allowed, because werkzeug silently cuts off the rest.
        httprequest.max_content_length = self.max_content_length + 1
        # Cached, because Odoo runs the handler again when two transactions collide.
        body = httprequest.get_data(parse_form_data=False)
        if len(body) > self.max_content_length:
            raise RequestTooLarge("The request body is too large.", reason='too_large')
        return body

    def _get_preflight_response(self, endpoint):
        methods = endpoint.routing['methods']
        if self.allows_origins:
            # A preflight request names no application, so its origins are not known.
            origins = cross_origin.ANY if self.allows_origins == cross_origin.ANY else None
            return cross_origin.make_preflight_response(self.request, methods, origins)
        return cross_origin.make_empty_response(204, {'Allow': ', '.join(sorted({*methods, 'OPTIONS'}))})

    def _allow_origin(self, response):
        """Let web pages of the application read the response, if they may call the endpoint."""
        if self.allows_origins:
            is_public = self.allows_origins == cross_origin.ANY
            origins = cross_origin.ANY if is_public else self._get_allowed_origins()
            cross_origin.allow(self.request, response, origins)
        return response

    def _get_allowed_origins(self):
        """Return the allowed origins of the requesting application, or None while it is not known."""
        client = get_context(self.request).client
        return client and client.allowed_origins

    def handle_error(self, exc):
        # Odoo raises the first two before it has a handler, and without an environment.
        if isinstance(exc, NotFound):
            response = self._get_error_response(self.not_found("There is nothing at this path."))
        elif isinstance(exc, MethodNotAllowed):
            allowed = ', '.join(sorted(exc.valid_methods))
            response = self._get_error_response(self.method_not_allowed(f"This endpoint supports only {allowed}."))
            response.headers['Allow'] = allowed
        elif isinstance(exc, RequestEntityTooLarge):
            response = self._get_error_response(RequestTooLarge("The request body is too large."))
        elif isinstance(exc, HTTPException):
            return exc
        elif is_outage(exc):
            # One line without a traceback, because every request fails during an outage.
            exc.loglevel = logging.WARNING
            response = self._get_error_response(TemporarilyUnavailable())
        else:
            response = self._get_error_response(ServerError())
        if self.request.env and response.status_code >= 500:
            # Odoo rolls back later, but the code below may query the database, which refuses
            # every statement in a failed transaction.
            with contextlib.suppress(psycopg2.Error):
                self.request.env.cr.rollback()
        return self._allow_origin(response)

    def _get_error_response(self, error):
        return make_response(self._get_error_parameters(error), error.status, self._get_error_headers(error))

    def _get_error_headers(self, error):
        headers = {}
        if value := self._get_challenge(error):
            headers['WWW-Authenticate'] = value
        if retry_after := getattr(error, 'retry_after', None):
            headers['Retry-After'] = str(retry_after)
        return headers

    def _get_challenge(self, error):
        # RFC 9110 §15.5.2: also without credentials, because some clients send them only
        # after a challenge (curl --anyauth, wget, urllib).
        return challenge.BASIC if error.status == 401 else None

    def _get_error_parameters(self, error):
        return error.to_parameters()


def make_response(parameters, status=200, headers=None):
    """Return a response to an application (RFC 6749 §5.1, §5.2).

    :param dict parameters: the parameters, sent as JSON
    :param int status: the HTTP status
    :param dict headers: further headers; an empty one takes that of every response out
    """
    headers = {
        # No cache may keep a token, or information about one.
        'Cache-Control': 'no-store',
        'Pragma': 'no-cache',
        'Referrer-Policy': 'no-referrer',
        'X-Content-Type-Options': 'nosniff',
        **(headers or {}),
    }
    headers = {'Content-Type': 'application/json', **{name: value for name, value in headers.items() if value}}
    return http.Response(json.dumps(parameters), status=status, headers=headers)
