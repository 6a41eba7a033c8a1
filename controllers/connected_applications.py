from odoo import http
from odoo.http import request

from ..dispatchers.paths import CONNECTED_APPLICATIONS
from .page import make_redirect, render_page

#: The parameters that name a record to end.
ENDED = ('authorization', 'sign_in')


class ConnectedApplications(http.Controller):
    # Odoo checks the CSRF token of a POST.
    @http.route(
        CONNECTED_APPLICATIONS, type='http', auth='user', methods=['GET', 'POST'], readonly=False, sitemap=False
    )
    def connected_applications(self):
        """Show users which applications act for them, and let them end each connection (RFC 6819 §5.1.3).

        It is mainly for portal users, who have no preferences that show this. `authorization`
        or `sign_in` is the id of a record of the user: GET asks whether to end it, POST ends
        it. An unknown id, or that of another user, changes nothing. After that, the parameter
        `done` tells the page which kind was ended.
        """
        authorizations = request.env['orestapi.authorization']._get_own()
        if request.httprequest.method == 'POST':
            return self._end(authorizations, request.httprequest.form)
        arguments = request.httprequest.args
        name, record = self._find(authorizations, arguments)
        if record:
            values = {
                'authorization': record.authorization_id if name == 'sign_in' else record,
                'sign_in': name == 'sign_in' and record,
            }
            return render_page('orestapi.connected_applications_question', values)
        values = {
            'connections': [
                {'authorization': authorization, 'sign_ins': authorization._get_active_devices()}
                for authorization in authorizations
            ],
            'done': arguments.get('done'),
            'home': self._get_home(),
            'user': request.env.user,
        }
        return render_page('orestapi.connected_applications', values)

    def _find(self, authorizations, parameters):
        """Return the parameter that names a record of the user, and the record; otherwise (None, None)."""
        for name in ENDED:
            chosen = parameters.get(name, '')
            if chosen.isascii() and chosen.isdecimal() and len(chosen) < 10:
                records = authorizations if name == 'authorization' else authorizations.token_ids
                found = records.browse(int(chosen)) & records
                if found and (name == 'authorization' or not found.revoked_at):
                    return name, found
        return None, None

    def _end(self, authorizations, form):
        name, record = self._find(authorizations, form)
        if record:
            record.action_revoke()
        location = f'{CONNECTED_APPLICATIONS}?done={name}' if record else CONNECTED_APPLICATIONS
        return make_redirect(location)

    def _get_home(self):
        if request.env.user._is_internal():
            return '/odoo'
        # The page of the addon Portal if it is installed; otherwise core's page for portal users.
        return '/my/security' if 'portal.mixin' in request.env else '/web/login_successful'
