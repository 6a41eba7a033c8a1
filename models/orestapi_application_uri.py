from odoo import Command, api, fields, models
from odoo.exceptions import ValidationError

from ..oauth2 import redirect_uris
from ..oauth2.redirect_uris import Defect
from .orestapi_application import is_unchanged


class OrestapiApplicationUri(models.Model):
    """A redirect URI at which an application may receive authorization codes (RFC 6749 §3.1.2)."""

    _name = 'orestapi.application.uri'
    _inherit = 'orestapi.administered'
    _description = "Callback URI"
    _rec_name = 'uri'
    _order = 'id'

    application_id = fields.Many2one(
        'orestapi.application',
        "Application",
        required=True,
        index=True,
        ondelete='cascade',
        help="The application that may receive codes at this URI.",
    )
    uri = fields.Char(
        "URI",
        required=True,
        help="The URI that the browser returns to after the user allows or denies access. "
        "It must match exactly what the application sends.",
    )
    description = fields.Char(help="What this URI is for, for example the name of the server.")
    warning = fields.Char(compute='_compute_warning', help="What is risky about this URI.")

    _uri_unique = models.Constraint('UNIQUE (application_id, uri)', "This URI is already in the list.")

    @api.depends('uri')
    def _compute_warning(self):
        for record in self:
            # While it is being typed, it may not be a URI yet.
            if defect := record._find_defect():
                record.warning = record._get_defect_message(defect)
            elif not record.uri:
                record.warning = False
            elif redirect_uris.is_plain_http(record.uri):
                record.warning = self.env._("Not encrypted: anyone on the network can read the code.")
            elif redirect_uris.is_localhost(record.uri):
                record.warning = self.env._(
                    "The address 127.0.0.1 is safer than the name localhost, which may lead to another computer."
                )
            else:
                record.warning = False

    def _find_defect(self):
        """Return the `Defect` of a URI that is being typed, or None; an empty one has none yet."""
        return redirect_uris.find_defect(redirect_uris.repair(self.uri)) if self.uri else None

    @api.onchange('uri')
    def _onchange_uri(self):
        if self.uri:
            self.uri = redirect_uris.repair(self.uri)

    @api.constrains('uri')
    def _check_uri(self):
        for record in self:
            defect = redirect_uris.find_defect(record.uri)
            if defect is not None:
                raise ValidationError(self._get_defect_message(defect))

    def _is_harmless(self, vals):
        """Return whether a write leaves the URI itself unchanged: the description is only for people."""
        return all(
            name == 'description' or is_unchanged(self, self._fields[name], value)
            for name, value in vals.items()
            if name in self._fields
        )

    def _are_harmless(self, commands):
        """Return whether the commands of a write change nothing but descriptions."""
        for command in commands:
            match command:
                case [Command.UPDATE, int(id_), dict(vals)] if id_ in self.ids and self.browse(id_)._is_harmless(vals):
                    pass
                case _:
                    return False
        return True

    def _repair(self, vals):
        return {**vals, 'uri': redirect_uris.repair(vals['uri'])} if isinstance(vals.get('uri'), str) else vals

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create([self._repair(vals) for vals in vals_list])
        self.env['orestapi.application']._invalidate_caches()
        # Codes of users who are not asked would be sent to the new URI.
        records.application_id._check_guard()
        return records

    def write(self, vals):
        vals = self._repair(vals)
        self.check_access('write')
        changed = self.filtered(lambda record: not record._is_harmless(vals))
        changed.application_id._check_guard()
        result = super().write(vals)
        self.env['orestapi.application']._invalidate_caches()
        # The write may have moved it to another application.
        changed.application_id._check_guard()
        return result

    def unlink(self):
        self.check_access('unlink')
        self.application_id._check_guard()
        result = super().unlink()
        self.env['orestapi.application']._invalidate_caches()
        return result

    def _get_defect_message(self, defect):
        """Return a sentence that tells how to write the URI instead."""
        return {
            Defect.EMPTY: self.env._("Enter a URI, for example https://wiki.example.com/callback."),
            Defect.TOO_LONG: self.env._("A URI has at most %s characters.", redirect_uris.MAX_LENGTH),
            Defect.CHARACTERS: self.env._(
                "Use only ASCII characters without spaces, and percent-encode everything else, including a percent "
                "sign."
            ),
            Defect.WILDCARD: self.env._("Write each URI in full: a wildcard (*) is not allowed."),
            Defect.FRAGMENT: self.env._("Write the URI without the # and anything after it."),
            Defect.RELATIVE: self.env._(
                "Write the whole URI, beginning with its scheme, for example https://wiki.example.com/callback."
            ),
            Defect.SCHEME: self.env._(
                "Start with https://, or with the app's own scheme: it starts with a letter, consists of letters, "
                "digits and + - . and contains a dot, for example com.example.app:/callback."
            ),
            Defect.HOST: self.env._(
                "Write a host name or an IP address after the scheme, for example https://wiki.example.com/callback. "
                "An IPv4 address consists of four numbers separated by dots, an IPv6 address is written in square "
                "brackets."
            ),
            Defect.HOST_CHARACTERS: self.env._(
                "A host name consists of the letters a to z, digits, hyphens and dots. Write other letters in "
                "Punycode: bücher.example is xn--bcher-kva.example."
            ),
            Defect.USER_INFORMATION: self.env._("Write the URI without a user name and password before the host."),
            Defect.PORT: self.env._("Write the port as a number from 1 to 65535, or leave it out."),
            Defect.DOT_SEGMENTS: self.env._("Write the path without the segments \".\" and \"..\"."),
        }[defect]
