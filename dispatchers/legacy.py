"""The dispatchers between Odoo's router and the routes of the older connector."""

import threading

from ..oauth2 import client_authentication, errors, legacy, parameters
from ..oauth2.errors import OAuth2Error
from ..records.problem import NotOffered
from .application import OAuth2Dispatcher
from .records import RecordDispatcher, make_response


class LegacyDispatcher(OAuth2Dispatcher):
    """Serves the endpoints that the older connector calls as an application: `type='orestapi_legacy'`."""

    routing_type = 'orestapi_legacy'
    allows_origins = False

    def read_request(self):
        """Read the request as the older connector writes it.

        This applies only to applications marked for it: the request of any other is read,
        and refused, as at the standard token endpoint.
        """
        httprequest = self.request.httprequest
        # Odoo logs this URL when a request takes too long.
        threading.current_thread().url = httprequest.base_url
        try:
            body = self._read_body() if httprequest.mimetype or httprequest.content_length else b''
            merged, header = legacy.read(httprequest.query_string, body, httprequest.headers.get('Authorization'))
            client_id = client_authentication.parse(header, merged).client_id
        except OAuth2Error:
            return super().read_request()
        client = self.request.env['orestapi.application']._find_client(client_id)
        if client is None or not client.legacy_connector:
            return super().read_request()
        return merged, header

    def _get_error_parameters(self, error):
        return {
            **super()._get_error_parameters(error),
            **legacy.get_error_parameters(error, self.request.httprequest.path),
        }


class LegacyRecordDispatcher(RecordDispatcher):
    """Serves the endpoints at which the older connector reads records: `type='orestapi_legacy_records'`.

    They differ from the records API in their parameters, which may also come in a form,
    and in the format of errors.
    """

    routing_type = 'orestapi_legacy_records'
    allows_origins = False
    #: Bytes of a request body. The older connector sends long lists of ids; a list that is
    #: much too long must still get an error that names the limit.
    max_content_length = 1024 * 1024
    not_found, method_not_allowed = errors.UnknownPath, errors.UnsupportedMethod

    def _serve(self, endpoint):
        # Cached before anything reads the form, which consumes the body.
        httprequest = self.request.httprequest
        httprequest.max_content_length = self.max_content_length + 1
        httprequest.get_data(parse_form_data=False)
        return super()._serve(endpoint)

    def _parse_parameters(self):
        httprequest = self.request.httprequest
        has_body = httprequest.method == 'POST' and (httprequest.mimetype or httprequest.content_length)
        body = self._read_body() if has_body else b''
        return parameters.parse(b'&'.join(filter(None, (httprequest.query_string, body))))

    def _get_error_response(self, error):
        if isinstance(error, NotOffered):
            # The error that the older addon gives and its connector understands.
            error = errors.InsufficientScope(error.description, scope='read')
        content = {
            # RFC 6750 §3.1: a request without credentials gets no error code.
            **({'error': error.error} if error.error else {}),
            'error_description': error.description,
            **legacy.get_error_parameters(error, self.request.httprequest.path),
        }
        return make_response(self.request, content, error.status, headers=self._get_error_headers(error))
