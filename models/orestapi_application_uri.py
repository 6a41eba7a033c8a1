from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..oauth2 import redirect_uri
from ..oauth2.redirect_uri import Problem


class OrestapiApplicationUri(models.Model):
    """An address that an application may receive its authorization codes at (RFC 6749 §3.1.2)."""

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
        help="The application that may receive codes at this address.",
    )
    uri = fields.Char(
        "URI",
        required=True,
        help="The address that the browser returns to after the user has allowed or refused. "
        "It must be written here exactly as the application sends it.",
    )
    description = fields.Char(help="What this address is for, for example the name of the server.")
    warning = fields.Char(compute='_compute_warning', help="What is risky about this address.")

    _uri_unique = models.Constraint('UNIQUE (application_id, uri)', "This URI is already in the list.")

    @api.depends('uri')
    def _compute_warning(self):
        for record in self:
            # While it is typed, it may be no URI at all.
            if not redirect_uri.find_problem(record.uri or '') and redirect_uri.is_plain_http(record.uri):
                record.warning = self.env._("Not encrypted: whoever is on the way can read the code.")
            else:
                record.warning = False

    @api.constrains('uri')
    def _check_uri(self):
        for record in self:
            problem = redirect_uri.find_problem(record.uri)
            if problem is not None:
                raise ValidationError(self._get_problem_message(problem))

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env['orestapi.application']._forget_settings()
        # Codes of users who are not asked would go there.
        records.application_id._check_trusted_rights()
        return records

    def write(self, vals):
        result = super().write(vals)
        self.env['orestapi.application']._forget_settings()
        self.application_id._check_trusted_rights()
        return result

    def unlink(self):
        result = super().unlink()
        self.env['orestapi.application']._forget_settings()
        return result

    def _get_problem_message(self, problem):
        """Return one sentence that says what would be right."""
        return {
            Problem.EMPTY: self.env._("Enter a URI, for example https://wiki.example.com/callback."),
            Problem.TOO_LONG: self.env._("A URI has at most %s characters.", redirect_uri.MAX_LENGTH),
            Problem.CHARACTERS: self.env._(
                "Write the URI in plain letters, digits and signs, without blanks; percent-encode all others, "
                "and write the scheme in lower case."
            ),
            Problem.WILDCARD: self.env._("Write each URI in full: a wildcard (*) is not allowed."),
            Problem.FRAGMENT: self.env._("Write the URI without the part from # on."),
            Problem.RELATIVE: self.env._(
                "Write the whole URI, beginning with its scheme, for example https://wiki.example.com/callback."
            ),
            Problem.SCHEME: self.env._(
                "Begin with https://, or with a scheme that only the application has and that has a period in it, "
                "for example com.example.app:/callback."
            ),
            Problem.HOST: self.env._(
                "Write a host name or an address after the scheme, for example https://wiki.example.com/callback."
            ),
            Problem.USER_INFORMATION: self.env._("Write the URI without a user name and password before the host."),
            Problem.PORT: self.env._("Write the port as a number from 1 to 65535, or leave it out."),
            Problem.DOT_SEGMENTS: self.env._("Write the path without the segments \".\" and \"..\"."),
        }[problem]
