from odoo import http
from odoo.http import request
from odoo.modules import Manifest
from odoo.service.common import exp_version

from ..dispatchers.application import application_route, make_response
from ..oauth2 import client_authentication, grants, legacy, parameters
from ..oauth2.errors import InvalidClient
from . import client
from .authorize import Authorize
from .token import Token


class LegacyAuthorize(Authorize):
    @http.route(
        legacy.AUTHORIZATION_ENDPOINT,
        type='http',
        auth='public',
        methods=['GET', 'POST'],
        csrf=False,
        readonly=False,
        sitemap=False,
    )
    def legacy_authorize(self):
        """Serve the authorization endpoint at the path of the older connector."""
        return self.authorize()

    def _get_endpoint(self):
        # One controller serves both paths, and Odoo also serves a path with a slash at the end.
        path = request.httprequest.path.rstrip('/')
        return path if path == legacy.AUTHORIZATION_ENDPOINT else super()._get_endpoint()

    def _identify_client(self, query):
        client = super()._identify_client(query)
        return legacy.relax(client) if self._get_endpoint() == legacy.AUTHORIZATION_ENDPOINT else client


class LegacyToken(Token):
    @application_route(legacy.TOKEN_ENDPOINT, type='orestapi_legacy', methods=['POST'], readonly=False)
    def legacy_token(self):
        """Serve the token endpoint at the path of the older connector."""
        return self._exchange(legacy.relax(client.authenticate(grants.PARAMETERS)))


class LegacyStatus(http.Controller):
    @application_route('/orestapi/version', type='orestapi_legacy', methods=['GET', 'POST'], readonly=True)
    def version(self):
        """Return the version of Odoo, which Odoo itself tells anyone over RPC."""
        return make_response({
            **exp_version(),
            'orestapi_version': Manifest.for_addon('orestapi', display_warning=False).version,
        })

    @application_route('/orestapi/application/status', type='orestapi_legacy', methods=['GET', 'POST'], readonly=False)
    def status(self):
        """Return whether the client id and secret of an application are right."""
        authorization = request.httprequest.headers.get('Authorization')
        if authorization is None:
            raise InvalidClient("The client must authenticate with HTTP Basic.", reason='credentials_missing')
        credentials = client_authentication.parse(authorization, parameters.Parameters(()))
        authenticated = client.authenticate_credentials(credentials)
        # sudo: orestapi.application - the application asks about itself
        application = request.env['orestapi.application'].sudo().browse(authenticated.id)
        # sudo: res.company - its name, which the application shows beside the URL of this Odoo
        company = request.env['res.company'].sudo()._get_main_company()
        description = {
            'id': application.id,
            'active': application.active,
            'display_name': application.display_name,
            'company': company.name,
        }
        return make_response([description])
