from odoo import http
from odoo.http import request

from ..oauth2 import metadata
from .dispatcher import make_response


class Metadata(http.Controller):
    @http.route(
        metadata.WELL_KNOWN,
        type='oauth2',
        auth='none',
        methods=['GET'],
        csrf=False,
        save_session=False,
        readonly=True,
        allow_origin=True,
    )
    def metadata(self):
        """Publish the authorization server metadata (RFC 8414 §3)."""
        # sudo: orestapi.scope - the names of the scopes are public, as all of this document
        scopes = request.env['orestapi.scope'].sudo().search([]).mapped('name')
        issuer = request.env['orestapi.application']._get_issuer()
        return make_response(request, metadata.build(issuer, scopes))
