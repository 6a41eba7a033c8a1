from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..records.offer import BLACKLIST, UNLIMITED, WHITELIST


class OrestapiModelConfiguration(models.Model):
    """How one model is offered to remote applications: its name there, and the offered fields.

    Models and fields are stored by technical name instead of reference: otherwise, when an app
    is uninstalled and installed again, its excluded fields would be offered.
    """

    _name = 'orestapi.model.configuration'
    _inherit = 'orestapi.administered'
    _description = "Model Configuration"
    _order = 'name, id'

    name = fields.Char(
        required=True, translate=True, help="The name under which applications show the model, for example Partners."
    )
    active = fields.Boolean(
        default=True,
        help="The model of an archived configuration is not offered by any scheme that it belongs to.",
    )
    icon = fields.Image(
        max_width=256, max_height=256, help="The picture that applications may show beside the records."
    )
    model_id = fields.Many2one(
        'ir.model',
        "Model",
        compute='_compute_model_id',
        search='_search_model_id',
        readonly=False,
        domain=[('abstract', '=', False), ('transient', '=', False)],
        help="The model to offer. It cannot be changed later: create another configuration for another model.",
    )
    model = fields.Char(
        "Technical Name", required=True, readonly=True, index=True, help="The technical name of the model."
    )
    limit_fields = fields.Selection(
        [
            (UNLIMITED, "All fields"),
            (BLACKLIST, "All fields except those listed"),
            (WHITELIST, "Only the fields listed"),
        ],
        required=True,
        default=WHITELIST,
        help="Which fields of the model applications may read, within the rights of the user. Pictures, files and "
        "anything that looks like a password or a key are offered only if they are listed by name.",
    )
    field_ids = fields.Many2many(
        'ir.model.fields',
        string="Fields",
        compute='_compute_field_ids',
        inverse='_inverse_field_ids',
        domain="[('model_id', '=', model_id)]",
        help="The fields to offer or to exclude, depending on the limit.",
    )
    field_names = fields.Text(
        "Names of the Fields",
        readonly=True,
        help="The technical names of the listed fields, including fields that do not exist at present.",
    )
    missing_field_names = fields.Char(
        "Missing Fields",
        compute='_compute_field_ids',
        help="Listed fields that do not exist at present because an app was uninstalled. They stay listed, so that "
        "nothing changes when the app is installed again.",
    )
    scheme_ids = fields.Many2many(
        'orestapi.model.scheme',
        string="Model Schemes",
        context={'active_test': False},
        help="The model schemes that this configuration belongs to.",
    )
    scheme_count = fields.Integer(
        compute='_compute_scheme_count', help="How many model schemes the configuration belongs to."
    )

    write_uid = fields.Many2one('res.users', "Last Modified by", readonly=True)
    write_date = fields.Datetime("Last Modified on", readonly=True)

    @api.depends('model')
    def _compute_model_id(self):
        ir_models = self.env['ir.model'].search([('model', 'in', self.mapped('model'))])
        by_name = {ir_model.model: ir_model for ir_model in ir_models}
        for configuration in self:
            configuration.model_id = by_name.get(configuration.model, False)

    def _search_model_id(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return [('model', 'in', self.env['ir.model'].search([('id', 'in', value)]).mapped('model'))]

    @api.depends('model', 'field_names')
    def _compute_field_ids(self):
        for configuration in self:
            names = configuration._get_field_names()
            found = self.env['ir.model.fields'].search([
                ('model', '=', configuration.model),
                ('name', 'in', list(names)),
            ])
            configuration.field_ids = found
            configuration.missing_field_names = ', '.join(sorted(names.difference(found.mapped('name'))))

    def _inverse_field_ids(self):
        for configuration in self:
            chosen = configuration.field_ids
            if set(chosen.mapped('model')) - {configuration.model}:
                raise ValidationError(
                    self.env._(
                        "%(configuration)s: choose only fields of its own model.", configuration=configuration.name
                    )
                )
            existing = self.env['ir.model.fields'].search([('model', '=', configuration.model)]).mapped('name')
            missing = configuration._get_field_names().difference(existing)
            configuration.field_names = '\n'.join(sorted({*chosen.mapped('name'), *missing}))

    @api.depends('scheme_ids')
    def _compute_scheme_count(self):
        for configuration in self:
            configuration.scheme_count = len(configuration.scheme_ids)

    def _get_field_names(self):
        """Return the names of the listed fields as a frozenset, whether the fields exist or not."""
        return frozenset((self.field_names or '').split())

    @api.onchange('model_id')
    def _onchange_model_id(self):
        self.model = self.model_id.model
        if self.model_id and not self.name:
            self.name = self.model_id.name

    @api.constrains('model')
    def _check_model(self):
        for configuration in self:
            model = self.env.get(configuration.model)
            if model is None or model._abstract or model._transient:
                raise ValidationError(
                    self.env._(
                        "%(model)s has no records that could be offered. Choose another model.",
                        model=configuration.model,
                    )
                )

    @api.constrains('model', 'scheme_ids')
    def _check_schemes(self):
        self.scheme_ids._check_configurations()

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._with_model_name(vals) for vals in vals_list]
        with self.env['orestapi.application']._watch_offers():
            return super().create(vals_list)

    def write(self, vals):
        vals = self._with_model_name(vals)
        if 'model' in vals and any(configuration.model != vals['model'] for configuration in self):
            raise ValidationError(
                self.env._("The model of a configuration cannot be changed. Create another configuration.")
            )
        with self.env['orestapi.application']._watch_offers():
            return super().write(vals)

    def unlink(self):
        with self.env['orestapi.application']._watch_offers():
            return super().unlink()

    def copy_data(self, default=None):
        # A scheme has at most one configuration of a model.
        return [
            dict(vals, model=configuration.model, scheme_ids=[])
            for configuration, vals in zip(self, super().copy_data(default), strict=True)
        ]

    @api.model
    def _with_model_name(self, vals):
        if 'model_id' not in vals:
            return vals
        vals = dict(vals)
        return dict(vals, model=self.env['ir.model'].browse(vals.pop('model_id')).model)

    # XML-RPC cannot carry the None that core returns.
    def action_archive(self):
        super().action_archive()
        return True

    def action_unarchive(self):
        super().action_unarchive()
        return True

    def action_forget_missing_fields(self):
        """Remove the fields that do not exist at present from the list."""
        for configuration in self:
            configuration.field_names = '\n'.join(sorted(configuration.field_ids.mapped('name')))
        return True

    def action_open_schemes(self):
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Model Schemes"),
            'res_model': 'orestapi.model.scheme',
            'views': [(False, 'list'), (False, 'form')],
            'domain': [('configuration_ids', 'in', self.ids)],
            # Includes archived ones, as the count on the button does, by filters that users can remove.
            'context': {'search_default_active': 1, 'search_default_inactive': 1},
        }
