from odoo import http
from odoo.http import request

from ..dispatchers.cross_origin import make_empty_response
from ..dispatchers.headers import PAGE
from ..dispatchers.paths import CONNECTED_APPLICATIONS
from .page_language import choose_page_language


class ConnectedApplications(http.Controller):
    # Odoo checks the CSRF token of a POST.
    @http.route(
        CONNECTED_APPLICATIONS, type='http', auth='user', methods=['GET', 'POST'], readonly=False, sitemap=False
    )
    def connected_applications(self):
        """Show users which applications act for them, and end what they choose (RFC 6819 §5.1.3).

        For those above all who have no preferences to see it in: portal users. A POST
        names an `authorization` of the user by its id; an unknown one, or that of
        somebody else, changes nothing.
        """
        authorizations = request.env['orestapi.authorization']._get_own()
        if request.httprequest.method == 'POST':
            chosen = request.httprequest.form.get('authorization')
            authorizations.filtered(lambda authorization: str(authorization.id) == chosen).action_revoke()
            # 303, so that to load the page again does not send the form again.
            return make_empty_response(303, {'Location': CONNECTED_APPLICATIONS, **PAGE})
        response = request.render(
            'orestapi.connected_applications', {'authorizations': authorizations, 'user': request.env.user}
        )
        response.headers.update({**PAGE, **choose_page_language()})
        return response
