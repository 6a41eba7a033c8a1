import dataclasses
import hashlib
import hmac
import re
import time

from odoo import http
from odoo.http import STORED_SESSION_BYTES, request
from odoo.tools import consteq

from ..oauth2 import scopes
from ..oauth2.client import Client
from ..oauth2.errors import InvalidRequest
from .page import render_page

#: Seconds for which the consent page can be answered: long enough to ask somebody, but too
#: short for somebody else to find the open page, or for its content to become outdated.
CONSENT_EXPIRY = 60 * 60
#: When the page expires, in seconds since 1970, and the signature of what it shows.
SIGNED_EXPIRY = re.compile(r'(0|[1-9][0-9]{0,11})\.([0-9a-f]{64})', re.ASCII)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PendingAuthorization:
    """An authorization that a user is asked to give, at any endpoint.

    :ivar Client client: the application
    :ivar frozenset scope: the requested scope
    :ivar bytes request_key: identifies the request among all those of the application
    :ivar str action: the path and query that the page posts to
    :ivar str destination: the host or scheme that the browser goes to next
    """

    client: Client
    scope: frozenset
    request_key: bytes
    action: str
    destination: str


class Consent(http.Controller):
    """The consent page and its form. It has no route; controllers that ask for consent inherit it."""

    def _render_consent(self, pending, switch_user):
        """Return the consent page.

        :param PendingAuthorization pending: the authorization to ask for
        :param str switch_user: the URI that lets another user log in
        """
        # sudo: orestapi.scope - the descriptions that the page shows
        records = request.env['orestapi.scope'].sudo().search([('name', 'in', list(pending.scope))])
        return self._render(
            'orestapi.consent',
            {
                'application': self._get_application(pending.client),
                'scopes': records,
                'told': {scope: self._get_told(pending.client, scope) for scope in pending.scope},
                'user': request.env.user,
                'destination': pending.destination,
                'action': pending.action,
                'consent': self._get_signed_expiry(pending),
                'switch_user': switch_user,
            },
        )

    def _get_told(self, client, scope):
        """Return the sentence that names the values which the administrator has added to a scope, or None."""
        ids = [claim.id for claim in client.defined_claims if claim.scope == scope]
        # sudo: orestapi.claim - what the page tells the user of
        labels = [claim._get_label() for claim in request.env['orestapi.claim'].sudo().browse(ids).exists()]
        return self._get_application(client)._get_told_sentence(sorted({*labels} - {None}))

    def _is_allowed(self, pending):
        """Return whether the user has pressed *Allow* on the consent page, and log the decision.

        :param PendingAuthorization pending: the authorization that the page must have asked for
        :raise InvalidRequest: when the form does not come from such a page
        """
        form = request.httprequest.form
        csrf_token, displayed = form.get('csrf_token', ''), SIGNED_EXPIRY.fullmatch(form.get('consent', ''))
        # Checked because the comparison raises for a text that is not ASCII.
        if not (
            displayed
            and csrf_token.isascii()
            and request.validate_csrf(csrf_token)
            and time.time() < int(displayed[1])
            and consteq(displayed[2], self._sign(pending, int(displayed[1])))
        ):
            raise InvalidRequest("The page was open too long, or was opened elsewhere.", reason='page')
        event, client_id = request.env['orestapi.event'], pending.client.id
        if form.get('decision') != 'allow':
            event._log_decision('consent_refused', client_id)
            return False
        event._log_decision('consent_given', client_id, detail=', '.join(sorted(pending.scope)))
        return True

    def _get_signed_expiry(self, pending):
        expires_at = int(time.time()) + CONSENT_EXPIRY
        return f'{expires_at}.{self._sign(pending, expires_at)}'

    def _sign(self, pending, expires_at):
        """Return the signature that binds the consent page to its content and its user.

        The CSRF token proves that the form comes from a page of this session; the
        signature proves that it comes from the page of this very request (RFC 6819
        §4.4.1.10). It also covers values that the request leaves to the settings of the
        application, which may change while the page is open, the offer of the model scheme, and
        the claims that the application is told: when they grow, the user must be asked again.

        :param PendingAuthorization pending: the authorization that the page asks for
        :param int expires_at: until when the page can be answered, in seconds since 1970
        """
        client = pending.client
        offer = request.env['orestapi.model.scheme']._get_offer(client.model_scheme_id)
        key = request.env['orestapi.server']._derive_key('consent')
        shown = (
            # The rest of the session id changes every few hours, as for the CSRF token.
            request.session.sid[:STORED_SESSION_BYTES],
            request.env.uid,
            client.id,
            pending.destination,
            scopes.render(pending.scope),
            pending.request_key,
            expires_at,
            client.model_scheme_id,
            offer.describe(),
            client.defined_claims,
        )
        return hmac.new(key, repr(shown).encode(), hashlib.sha256).hexdigest()

    def _get_application(self, client):
        # sudo: orestapi.application - its name and logo for a page, and whether to ask the user
        return request.env['orestapi.application'].sudo().browse(client.id)

    def _render(self, template, values, status=200):
        response = render_page(template, values, status)
        # Rendered now, while the environment of the values is still current.
        response.flatten()
        return response
