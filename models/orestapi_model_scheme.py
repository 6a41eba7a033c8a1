from types import MappingProxyType

from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError

from ..records.offer import BLACKLIST, NOTHING, UNLIMITED, WHITELIST, Limit, Offer


class OrestapiModelScheme(models.Model):
    """The most that remote applications may see: the rights of the user narrow it further.

    Several applications can share one scheme; changing it changes all of them.
    """

    _name = 'orestapi.model.scheme'
    _inherit = 'orestapi.administered'
    _description = "Model Scheme"
    _order = 'name, id'

    name = fields.Char(
        required=True, translate=True, help="The name by which you choose the scheme for an application."
    )
    description = fields.Text(translate=True, help="What the scheme is for.")
    active = fields.Boolean(
        default=True, help="An archived scheme offers nothing: its applications cannot read any records."
    )
    limit_models = fields.Selection(
        [
            (UNLIMITED, "All models"),
            (BLACKLIST, "All models except those listed"),
            (WHITELIST, "Only configured models"),
        ],
        required=True,
        default=WHITELIST,
        help="Which models applications may read, within the rights of the user.",
    )
    model_ids = fields.Many2many(
        'ir.model',
        string="Excluded Models",
        compute='_compute_model_ids',
        inverse='_inverse_model_ids',
        domain=[('abstract', '=', False), ('transient', '=', False)],
        help="The models that are not offered.",
    )
    # By name, so that the models of an app stay excluded when it is uninstalled and installed
    # again.
    model_names = fields.Text("Names of the Excluded Models", readonly=True)
    missing_model_names = fields.Char(
        "Missing Models",
        compute='_compute_model_ids',
        help="Excluded models that do not exist at present because an app was uninstalled. They stay excluded when "
        "the app is installed again.",
    )
    configuration_ids = fields.Many2many(
        'orestapi.model.configuration',
        string="Model Configurations",
        context={'active_test': False},
        help="How individual models are offered. The fields that they leave out are never offered, whatever the limit.",
    )
    application_ids = fields.One2many(
        'orestapi.application',
        'model_scheme_id',
        "Applications",
        context={'active_test': False},
        readonly=True,
        help="The applications that use this scheme.",
    )
    application_count = fields.Integer(
        compute='_compute_application_count', help="How many applications use this scheme."
    )

    write_uid = fields.Many2one('res.users', "Last Modified by", readonly=True)
    write_date = fields.Datetime("Last Modified on", readonly=True)

    @api.depends('model_names')
    def _compute_model_ids(self):
        for scheme in self:
            names = scheme._get_model_names()
            found = self.env['ir.model'].search([('model', 'in', list(names))])
            scheme.model_ids = found
            scheme.missing_model_names = ', '.join(sorted(names.difference(found.mapped('model'))))

    def _inverse_model_ids(self):
        existing = self.env['ir.model'].search([]).mapped('model')
        for scheme in self:
            missing = scheme._get_model_names().difference(existing)
            scheme.model_names = '\n'.join(sorted({*scheme.model_ids.mapped('model'), *missing}))

    @api.depends('application_ids')
    def _compute_application_count(self):
        for scheme in self:
            scheme.application_count = len(scheme.application_ids)

    def _get_model_names(self):
        """Return the names of the excluded models as a frozenset, whether the models exist or not."""
        return frozenset((self.model_names or '').split())

    @api.constrains('configuration_ids')
    def _check_configurations(self):
        for scheme in self:
            seen = set()
            for configuration in scheme.configuration_ids:
                if configuration.model in seen:
                    raise ValidationError(
                        self.env._(
                            "%(scheme)s has two configurations of the same model (%(model)s): remove one of them.",
                            scheme=scheme.name,
                            model=configuration.model,
                        )
                    )
                seen.add(configuration.model)

    @api.model_create_multi
    def create(self, vals_list):
        with self.env['orestapi.application']._watch_offers():
            return super().create(vals_list)

    def write(self, vals):
        with self.env['orestapi.application']._watch_offers():
            return super().write(vals)

    def unlink(self):
        with self.env['orestapi.application']._watch_offers():
            return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # Archived applications count too: their scheme must exist when they are activated again.
        for scheme in self.with_context(active_test=False):
            if scheme.application_ids:
                raise UserError(
                    self.env._(
                        "%(scheme)s cannot be deleted, because these applications use it: %(applications)s. "
                        "Choose another model scheme for them first, or archive this one: then they cannot read any "
                        "records.",
                        scheme=scheme.name,
                        applications=', '.join(scheme.application_ids.mapped('name')),
                    )
                )

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if 'name' not in (default or {}):
            for scheme, vals in zip(self, vals_list, strict=True):
                vals['name'] = self.env._("%s (copy)", scheme.name)
        return vals_list

    @api.model
    @tools.ormcache('scheme_id')
    def _get_offer(self, scheme_id):
        """Return the `Offer` of a scheme.

        Cached until a scheme or a configuration changes, because each request of an
        application needs it. It may name models and fields that do not exist.

        :param scheme_id: the id of the scheme, or a false value for none
        """
        # sudo: orestapi.model.scheme - also for users who cannot read schemes
        scheme = self.sudo().browse(scheme_id or ()).exists()
        if not scheme.active:
            return NOTHING
        active = scheme.configuration_ids.filtered('active')
        inactive = frozenset((scheme.configuration_ids - active).mapped('model'))
        if scheme.limit_models == WHITELIST:
            limit = Limit(WHITELIST, frozenset(active.mapped('model')))
        elif scheme.limit_models == BLACKLIST:
            limit = Limit(BLACKLIST, scheme._get_model_names() | inactive)
        else:
            # Models with an archived configuration are not offered.
            limit = Limit(BLACKLIST, inactive) if inactive else Limit()
        return Offer(
            models=limit,
            fields=MappingProxyType({
                configuration.model: Limit(
                    configuration.limit_fields,
                    frozenset() if configuration.limit_fields == UNLIMITED else configuration._get_field_names(),
                )
                for configuration in active
            }),
            configurations=MappingProxyType({configuration.model: configuration.id for configuration in active}),
        )

    # XML-RPC cannot carry the None that core returns.
    def action_archive(self):
        super().action_archive()
        return True

    def action_unarchive(self):
        super().action_unarchive()
        return True

    def action_forget_missing_models(self):
        """Remove the models that do not exist at present from the excluded models."""
        for scheme in self:
            scheme.model_names = '\n'.join(sorted(scheme.model_ids.mapped('model')))
        return True

    def action_open_applications(self):
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Applications"),
            'res_model': 'orestapi.application',
            'views': [(False, 'list'), (False, 'kanban'), (False, 'form')],
            'domain': [('model_scheme_id', 'in', self.ids)],
            # Includes archived ones, as the count on the button does, by filters that users can remove.
            'context': {
                'search_default_active': 1,
                'search_default_inactive': 1,
                'default_model_scheme_id': self.id,
            },
        }
