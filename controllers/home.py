from odoo import http
from odoo.addons.web.controllers.home import Home as WebHome

from ..oauth2 import metadata


class Home(WebHome):

    @http.route()
    def web_login(self, redirect=None, **kw):
        response = super().web_login(redirect=redirect, **kw)
        # On the way to the consent page, not even pages of this site may frame
        # the login (RFC 9700 §4.16).
        if redirect and redirect.startswith(metadata.AUTHORIZATION_ENDPOINT):
            response.headers['X-Frame-Options'] = 'DENY'
            response.headers['Content-Security-Policy'] = "frame-ancestors 'none'"
            response.headers['Referrer-Policy'] = 'no-referrer'
        return response
