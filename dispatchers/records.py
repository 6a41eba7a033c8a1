"""The dispatcher between Odoo's router and the routes at which applications read records."""

import gzip

import psycopg2.errors
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from odoo.http import Response

from ..oauth2 import bearer, parameters
from ..oauth2.errors import OAuth2Error
from ..records import problem
from .application import OAuth2Dispatcher
from .bearer import BearerErrors, authenticate
from .context import get_context


class RecordDispatcher(BearerErrors, OAuth2Dispatcher):
    """Serves the endpoints at which applications read records: `type='orestapi_records'`.

    A route names the scope that the access token needs. Its handler runs as the user of
    the token, in the language of the request, and finds the parameters, the access token
    and the offer in the context. Errors are problem details (RFC 9457) with the header of
    RFC 6750 §3.
    """

    routing_type = 'orestapi_records'
    not_found, method_not_allowed = problem.NotFound, problem.MethodNotAllowed

    def dispatch(self, endpoint, args):
        # Only the path: other parameters are read by name.
        self.request.params = dict(args)
        try:
            if self.request.httprequest.method == 'OPTIONS':
                return self._get_preflight_response(endpoint)
            response = self._serve(endpoint)
        except (OAuth2Error, problem.Problem) as error:
            response = self._get_error_response(error)
        except psycopg2.errors.QueryCanceled:
            # Caught here, because Odoo would log it as a server error.
            self.request.env.cr.rollback()
            response = self._get_error_response(problem.InvalidParameter("The search takes too long: narrow it."))
        return self._allow_origin(response)

    def _serve(self, endpoint):
        httprequest = self.request.httprequest
        self.request.env['orestapi.record']._limit_time()
        # The body is only searched for a token, which must not be there.
        httprequest.max_content_length = self.max_content_length + 1
        if scope := endpoint.routing.get('scope'):
            names = {*httprequest.args, *httprequest.form}
            self._authenticate(bearer.get_token(httprequest.headers.get('Authorization'), names), scope)
        get_context(self.request).parameters = self._parse_parameters()
        response = self.request.registry['ir.http']._dispatch(endpoint)
        # RFC 9110 §12.5.5: the request headers that the response depends on.
        response.headers.add('Vary', 'Authorization, Accept-Language')
        response.headers['Content-Language'] = self.request.env['res.lang']._get_language_tag(self.request.env.lang)
        return response

    def _parse_parameters(self):
        return parameters.parse(self.request.httprequest.query_string)

    def _authenticate(self, string, scope):
        active = authenticate(self.request, string, scope)
        header = self.request.httprequest.headers.get('Accept-Language')
        self.request.update_env(context=self.request.env['orestapi.record']._get_context(header))
        schemes = self.request.env['orestapi.model.scheme']
        get_context(self.request).offer = schemes._get_offer(active.sign_in.client.model_scheme_id)

    def _get_error_response(self, error):
        return make_response(
            self.request, problem.render(error), error.status, problem.MEDIA_TYPE, self._get_error_headers(error)
        )

    def _get_challenge(self, error):
        # RFC 6750 §3.1 has no code for `not_offered`, and a challenge would ask for another token.
        return None if isinstance(error, problem.NotOffered) else super()._get_challenge(error)


def make_response(request, content, status=200, media_type='application/json', headers=None):
    """Return a response of the records API.

    :param content: the value to send as JSON
    :param int status: the HTTP status
    :param str media_type: of the content
    :param dict headers: further headers
    """
    return request.make_json_response(
        content,
        status=status,
        headers={
            # Records are for the user of the token only.
            'Cache-Control': 'no-store, private',
            'Referrer-Policy': 'no-referrer',
            'X-Content-Type-Options': 'nosniff',
            'Content-Type': media_type,
            **(headers or {}),
        },
    )


def make_document_response(request, compressed, digest):
    """Return a JSON document that the client may cache, but must revalidate each time.

    :param bytes compressed: the document, compressed by gzip
    :param str digest: of the document
    """
    headers = {
        # It contains no records, but depends on the access token.
        'Cache-Control': 'private, no-cache',
        'Referrer-Policy': 'no-referrer',
        'X-Content-Type-Options': 'nosniff',
        'Content-Type': 'application/json; charset=utf-8',
        'Vary': 'Accept-Encoding',
    }
    accepted = parse_accept_header(request.httprequest.headers.get('Accept-Encoding'), Accept)
    if accepted['gzip']:
        response = Response(compressed, headers={**headers, 'Content-Encoding': 'gzip'})
    else:
        response = Response(gzip.decompress(compressed), headers=headers)
    # Weak, because it stands for both the compressed and the plain form (RFC 9110 §8.8.1).
    response.set_etag(digest, weak=True)
    response.make_conditional(request.httprequest)
    return response


def make_image_response(request, image, media_type):
    """Return a picture that the client may cache for an hour and revalidate after that.

    :param bytes image: the picture
    :param str media_type: of the picture
    """
    response = Response(
        image,
        headers={
            'Cache-Control': 'private, max-age=3600',
            # An uploaded SVG image may contain a script.
            'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            'X-Content-Type-Options': 'nosniff',
            'Content-Type': media_type,
        },
    )
    response.add_etag()
    response.make_conditional(request.httprequest)
    return response
