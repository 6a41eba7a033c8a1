from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import ValidationError
from odoo.fields import NO_ACCESS

from ..controllers.access_token import get_sign_in
from ..oauth2 import client_secret, token
from .orestapi_application import ADMINISTRATOR

#: How long a client secret may work on beside its successor.
MAX_OVERLAP = timedelta(days=90)


class OrestapiApplication(models.Model):
    """The client secret of an application, and how this Odoo identifies itself to it."""

    _inherit = 'orestapi.application'

    client_secret = fields.Char(
        compute='_compute_client_secret',
        inverse='_inverse_client_secret',
        copy=False,
        groups=ADMINISTRATOR,
        help="The password of the application. Copy it into the settings of the application now: "
        "only a hash is kept here, so that nobody can read it again.",
    )
    client_secret_hash = fields.Char(copy=False, groups=NO_ACCESS)
    client_secret_date = fields.Datetime(
        "Client Secret Since",
        copy=False,
        readonly=True,
        groups=ADMINISTRATOR,
        help="When the current client secret was set.",
    )
    previous_client_secret_hash = fields.Char(copy=False, groups=NO_ACCESS)
    previous_client_secret_expires_at = fields.Datetime(
        "Previous Client Secret Works Until",
        copy=False,
        groups=ADMINISTRATOR,
        help="Until then the client secret before the current one is accepted too, so that the application can "
        "be changed over without a break. Empty the field to end the previous secret at once.",
    )
    has_client_secret = fields.Boolean(
        compute='_compute_has_client_secret', groups=ADMINISTRATOR, help="Whether the application has a client secret."
    )
    own_id = fields.Char(
        "Own ID",
        copy=False,
        groups=ADMINISTRATOR,
        help="How this Odoo identifies itself at the remote side, where the application asks for it.",
    )
    own_secret = fields.Char(
        copy=False,
        groups=ADMINISTRATOR,
        help="The secret that goes with the own ID. Only Oregional Odoo App administrators can read it.",
    )

    def _has_field_access(self, field, operation):
        # The remote side goes on to take the secret when the token has ended.
        return super()._has_field_access(field, operation) and not (
            field.name == 'own_secret' and get_sign_in(self.env.cr)
        )

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        # Only the form shows what it proposes. A secret that nobody has seen would be of no
        # use to a caller of `create` over RPC. And no default of the field, which would be
        # None where there is nothing to propose: XML-RPC cannot carry that.
        if 'client_secret' in fields and self.env.context.get('propose_client_secret'):
            defaults['client_secret'] = token.generate_client_secret()
        return defaults

    def _compute_client_secret(self):
        self.client_secret = False

    def _inverse_client_secret(self):
        for application in self:
            if secret := application.client_secret:
                application._check_client_secret_text(secret)
            elif not application.has_client_secret:
                # A new application without a secret: nothing changes.
                continue
            application._set_client_secret(secret)
        self.invalidate_recordset(['client_secret'])

    @api.depends('client_secret_hash')
    def _compute_has_client_secret(self):
        for application in self:
            # sudo: orestapi.application - only tells that there is a hash
            application.has_client_secret = bool(application.sudo().client_secret_hash)

    @api.constrains('previous_client_secret_expires_at')
    def _check_previous_client_secret(self):
        for application in self:
            expires_at = application.previous_client_secret_expires_at
            since = application.client_secret_date or fields.Datetime.now()
            if expires_at and expires_at > since + MAX_OVERLAP:
                raise ValidationError(self.env._("The previous secret can be kept for 0 to 90 days."))

    def generate_client_id(self):
        """Give the application a new client id. The old one stops working.

        :return: the new client id
        """
        self.ensure_one()
        self.client_id = token.generate_client_id()
        return self.client_id

    def generate_client_secret(self, keep_previous=0):
        """Give the application a new client secret.

        :param int keep_previous: for how many days the secret before it works on
        :return: the new secret; it cannot be read again
        :raise AccessError: for anyone but an Oregional Odoo App administrator
        """
        self.ensure_one()
        self.check_access('write')
        if not isinstance(keep_previous, int) or not 0 <= keep_previous <= MAX_OVERLAP.days:
            raise ValidationError(self.env._("The previous secret can be kept for 0 to 90 days."))
        secret = token.generate_client_secret()
        self._set_client_secret(secret, keep_previous)
        return secret

    def generate_own_id(self):
        """Generate how this Odoo identifies itself at the remote side.

        :return: the new id
        """
        self.ensure_one()
        self.own_id = token.generate_client_id()
        return self.own_id

    def generate_own_secret(self):
        """Generate the secret that goes with the own id.

        :return: the new secret
        """
        self.ensure_one()
        self.own_secret = token.generate_secret()
        return self.own_secret

    def action_generate_client_id(self):
        self.generate_client_id()
        return True

    def action_generate_own_id(self):
        self.generate_own_id()
        return True

    def action_generate_own_secret(self):
        self.generate_own_secret()
        return True

    @check_identity
    def action_generate_client_secret(self):
        """Open the dialog with a new client secret, after a check of the administrator's identity.

        The check keeps whoever finds the browser open from pressing the button, and no more:
        a program that is logged in as the administrator calls `generate_client_secret`.
        """
        secret = self.generate_client_secret(self.env.context.get('keep_previous', 0))
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("New Client Secret"),
            'res_model': 'orestapi.client.secret.show',
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_client_id': self.client_id, 'default_client_secret': secret},
        }

    def _check_client_secret_text(self, secret):
        shortest, longest = client_secret.MIN_LENGTH, client_secret.MAX_LENGTH
        if not shortest <= len(secret) <= longest or not secret.isascii() or not secret.isprintable():
            raise ValidationError(
                self.env._(
                    "A client secret has from %(shortest)s to %(longest)s plain characters.",
                    shortest=shortest,
                    longest=longest,
                )
            )

    def _set_client_secret(self, secret, keep_previous=0):
        """Store the hash of a secret.

        :param secret: the new secret, or a false value for none
        :param int keep_previous: for how many days the secret before it works on
        """
        self.check_access('write')
        self._check_service_user_rights()
        # sudo: orestapi.application - the hashes are readable and writable for nobody
        application = self.sudo()
        now = fields.Datetime.now()
        keep = bool(keep_previous and application.client_secret_hash)
        application.write({
            'client_secret_hash': secret and client_secret.compute_hash(secret),
            'client_secret_date': secret and now,
            'previous_client_secret_hash': keep and application.client_secret_hash,
            'previous_client_secret_expires_at': keep and now + timedelta(days=keep_previous),
        })
        self.env['orestapi.event']._log('client_secret_changed', application_id=self.id)
