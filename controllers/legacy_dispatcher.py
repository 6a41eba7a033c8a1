import threading

from ..oauth2 import client_authentication, legacy
from ..oauth2.errors import OAuth2Error
from .dispatcher import OAuth2Dispatcher


class LegacyDispatcher(OAuth2Dispatcher):
    """Serves the endpoints that the older connector calls as an application: `type='legacy'`."""

    routing_type = 'legacy'
    allows_origins = False

    def read_request(self):
        """Read the request as the older connector writes it.

        That is for the applications that are marked for it: the request of any
        other is read, and refused, as at the token endpoint itself.
        """
        httprequest = self.request.httprequest
        # What Odoo writes into the log of a request that takes too long.
        threading.current_thread().url = httprequest.base_url
        try:
            body = self._read_body() if httprequest.mimetype or httprequest.content_length else b''
            sent, authorization = legacy.read(httprequest.query_string, body, httprequest.headers.get('Authorization'))
            client_id = client_authentication.parse(authorization, sent).client_id
        except OAuth2Error:
            return super().read_request()
        client = self.request.env['orestapi.application']._find_client(client_id)
        if client is None or not client.legacy_connector:
            return super().read_request()
        return sent, authorization

    def _get_error_parameters(self, error):
        return {
            **super()._get_error_parameters(error),
            **legacy.get_error_parameters(error, self.request.httprequest.path),
        }
