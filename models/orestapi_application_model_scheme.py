from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from .orestapi_application import ADMINISTRATOR


class OrestapiApplication(models.Model):
    """The model scheme of an application, and the effects of its changes."""

    _inherit = 'orestapi.application'

    model_scheme_id = fields.Many2one(
        # Not 'restrict', because an uninstall deletes schemes before applications. Apart from that, a scheme in use
        # cannot be deleted.
        'orestapi.model.scheme',
        "Model Scheme",
        ondelete='set null',
        index='btree_not_null',
        groups=ADMINISTRATOR,
        default=lambda self: self._default_model_scheme_id(),
        help="Which records the application may read with the scope \"read\", within the rights of the user. "
        "Without a model scheme it cannot read any.",
    )

    @api.model
    def _default_model_scheme_id(self):
        scheme = self.env.ref('orestapi.model_scheme_default', raise_if_not_found=False)
        return scheme and scheme.active and scheme

    @api.model
    def _get_documented(self):
        """Return the active applications that `/orestapi/1/docs` may show to the user.

        Only applications with the scope `read` are among them: others cannot read records.
        """
        if self.env.user.has_group(ADMINISTRATOR):
            return self.search([('scope_ids.name', '=', 'read')])
        if not self.env.user._is_internal():
            return self.browse()
        own = self.env['orestapi.authorization'].search([('user_id', '=', self.env.uid)])
        # sudo: orestapi.application - whether an application allowed by the user reads records
        return own.application_id.filtered(lambda found: found.active and found.sudo()._may_read())

    def write(self, vals):
        if 'model_scheme_id' not in vals:
            return super().write(vals)
        with self._watch_offers():
            return super().write(vals)

    @api.model
    @contextmanager
    def _watch_offers(self):
        """Wrap every change of model schemes: empty the caches, and log the result.

        An application that is offered more than before must ask its users again.
        """
        cache = self.env.cr.cache
        if cache.get('orestapi.watch_offers'):
            # An outer change already watches, for example a scheme saved with a new
            # configuration.
            yield
            return
        # sudo: orestapi.application - compares the offers of all applications
        applications = self.sudo().with_context(active_test=False).search([])
        scheme = self.env['orestapi.model.scheme']
        before = {application: scheme._get_offer(application.model_scheme_id.id) for application in applications}
        cache['orestapi.watch_offers'] = True
        try:
            yield
        finally:
            del cache['orestapi.watch_offers']
        self._invalidate_caches()
        for application, old in before.items():
            new = scheme._get_offer(application.model_scheme_id.id)
            if new == old:
                continue
            widened = not new.is_within(old)
            if widened:
                try:
                    # With the rights of the user who changes the scheme, unlike `self.sudo()` above.
                    self.browse(application.id)._check_guard()
                except AccessError:
                    # The caches hold values of a change that does not happen.
                    self._invalidate_caches()
                    raise
            self.env['orestapi.event']._log(
                'offer_widened' if widened else 'offer_changed',
                application_id=application.id,
                detail=application.model_scheme_id.name,
            )
            if widened:
                application._ask_users_again()

    def _ask_users_again(self):
        """Make the consent page ask again about reading records."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE orestapi_authorization AS authorization_
                   SET offer_widened = TRUE
                  FROM orestapi_authorization_orestapi_scope_rel AS rel
                  JOIN orestapi_scope AS scope ON scope.id = rel.orestapi_scope_id AND scope.name = 'read'
                 WHERE rel.orestapi_authorization_id = authorization_.id
                   AND authorization_.application_id = ANY(%s)
                   AND authorization_.offer_widened IS NOT TRUE
                """,
                self.ids,
            )
        )
        self.env['orestapi.authorization'].invalidate_model(['offer_widened'])
