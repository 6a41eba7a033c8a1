from odoo import http
from odoo.http import request
from odoo.modules import Manifest
from odoo.service.common import exp_version

from ..oauth2 import client_authentication, legacy, parameters
from ..oauth2.errors import InvalidClient
from .dispatcher import application_route, make_response
from .token import Token


class LegacyToken(Token):
    @application_route(legacy.TOKEN_ENDPOINT, type='legacy', methods=['POST'], readonly=False)
    def legacy_token(self):
        """Serve the token endpoint at the address of the older connector."""
        return self.token()


class LegacyStatus(http.Controller):
    @application_route('/orestapi/version', type='legacy', methods=['GET', 'POST'], readonly=True)
    def version(self):
        """Say which Odoo this is, as Odoo itself tells anyone who asks over RPC."""
        return make_response(
            request,
            {
                **exp_version(),
                'orestapi_version': Manifest.for_addon('orestapi', display_warning=False).version,
            },
        )

    @application_route('/orestapi/application/status', type='legacy', methods=['GET', 'POST'], readonly=False)
    def status(self):
        """Tell an application whether its client id and secret are right."""
        authorization = request.httprequest.headers.get('Authorization')
        if authorization is None:
            raise InvalidClient(
                "The client must authenticate with HTTP Basic.", challenge=True, reason='credentials_missing'
            )
        credentials = client_authentication.parse(authorization, parameters.Parameters(()))
        applications = request.env['orestapi.application']
        client = applications._authenticate_client(credentials, request.httprequest.remote_addr)
        # sudo: orestapi.application - the application asks about itself
        application = applications.sudo().browse(client.id)
        # sudo: res.company - its name, which the application shows beside the address of this Odoo
        company = request.env['res.company'].sudo()._get_main_company()
        description = {
            'id': application.id,
            'active': application.active,
            'display_name': application.display_name,
            'company': company.name,
        }
        return make_response(request, [description])
