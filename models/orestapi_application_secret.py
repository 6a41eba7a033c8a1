from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import ValidationError
from odoo.fields import NO_ACCESS
from odoo.tools.misc import format_datetime

from ..dispatchers.access_token import get_active_token, refuse_access_token
from ..oauth2 import client_secret, tokens
from ..oauth2.client import PUBLIC
from .orestapi_application import ADMINISTRATOR, ask

#: How long a client secret may keep working beside its successor: maximum and default.
MAX_OVERLAP = timedelta(days=90)
DEFAULT_OVERLAP = timedelta(days=7)

#: How long an application counts as just created: as long as Odoo's check of an identity is valid.
NEW = timedelta(minutes=10)


class SecretChar(fields.Char):
    """A text that no export contains, by whatever path it is requested.

    Exported files are easily left lying around. An empty value changes nothing, because an
    exported file that is imported again has one.
    """

    exportable = False

    def convert_to_export(self, value, record):
        return ''


class OrestapiApplication(models.Model):
    """The client secret of an application, and how this Odoo identifies itself to it."""

    _inherit = 'orestapi.application'

    client_secret = SecretChar(
        compute='_compute_client_secret',
        inverse='_inverse_client_secret',
        copy=False,
        groups=ADMINISTRATOR,
        help="The password of the application, if it already has one. It can be set but never read: only a hash is "
        "stored. An empty value changes nothing.",
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
        help="Until then the previous client secret is accepted too, so that the application can be switched without "
        "interruption. Empty the field to end the previous secret at once.",
    )
    has_client_secret = fields.Boolean(
        compute='_compute_has_client_secret', groups=ADMINISTRATOR, help="Whether the application has a client secret."
    )
    own_id = fields.Char(
        "Own ID",
        copy=False,
        groups=ADMINISTRATOR,
        help="How this Odoo identifies itself to the application, if the application requires it.",
    )
    own_secret = SecretChar(
        copy=False,
        groups=ADMINISTRATOR,
        help="The secret that goes with the own ID. Only Oregional Odoo App administrators can read it. "
        "An empty value changes nothing.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        # The secret is set after the application exists, so that the events are in this order.
        default = self.env.context.get('default_client_secret')
        brought = [vals.get('client_secret', default) for vals in vals_list]
        vals_list = [{**vals, 'client_secret': False} for vals in vals_list]
        applications = super().create(vals_list)
        for application, secret in zip(applications, brought, strict=True):
            if secret:
                application.client_secret = secret
        return applications

    def write(self, vals):
        # An imported export and an unchanged form have empty values for fields that cannot be read.
        return super().write({
            name: value for name, value in vals.items() if value or not isinstance(self._fields.get(name), SecretChar)
        })

    def _has_field_access(self, field, operation):
        # The remote side accepts the secret even after the access token has ended.
        return super()._has_field_access(field, operation) and not (
            field.name == 'own_secret' and get_active_token(self.env.cr)
        )

    def _check_field_access(self, field, operation):
        if field.name == 'own_secret':
            refuse_access_token(self.env)
        super()._check_field_access(field, operation)

    def _compute_client_secret(self):
        self.client_secret = False

    def _inverse_client_secret(self):
        for application in self:
            if secret := application.client_secret:
                application._check_client_secret_text(secret)
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
        self.client_id = tokens.generate_client_id()
        return self.client_id

    def generate_client_secret(self, keep_previous=0):
        """Give the application a new client secret.

        :param int keep_previous: for how many days the previous secret keeps working
        :return: the new secret; it cannot be read again
        :raise AccessError: for anyone but an Oregional Odoo App administrator
        """
        self.ensure_one()
        self.check_access('write')
        if not isinstance(keep_previous, int) or not 0 <= keep_previous <= MAX_OVERLAP.days:
            raise ValidationError(self.env._("The previous secret can be kept for 0 to 90 days."))
        secret = tokens.generate_client_secret()
        self._set_client_secret(secret, keep_previous)
        return secret

    def action_remove_client_secret(self):
        """Remove the current and the previous client secret: the application can no longer authenticate.

        :raise AccessError: for anyone but an Oregional Odoo App administrator
        """
        for application in self:
            application.check_access('write')
            # sudo: orestapi.application - nobody may read the hashes
            if application.sudo().client_secret_hash or application.sudo().previous_client_secret_hash:
                application._set_client_secret(False)
        return True

    def action_remove_own_secret(self):
        """Remove the secret with which this Odoo identifies itself to the remote side."""
        # Not the `write` of this class, for which an empty value changes nothing.
        super().write({'own_secret': False})  # pylint: disable=unknown-option-value,super-method-mismatch
        return True

    def generate_own_id(self):
        """Generate the id with which this Odoo identifies itself to the remote side.

        :return: the new id
        """
        self.ensure_one()
        self.own_id = tokens.generate_client_id()
        return self.own_id

    def generate_own_secret(self):
        """Generate the secret that goes with the own id.

        :return: the new secret
        """
        self.ensure_one()
        self.own_secret = tokens.generate_secret()
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

        The check only stops someone at an unattended browser from pressing the button: a
        program that is logged in as the administrator can call `generate_client_secret`.
        """
        return self._show_client_secret(self.generate_client_secret(self.env.context.get('keep_previous', 0)))

    def action_ask_generate_client_secret(self):
        """Ask how long the current client secret keeps working, and tell which one stops working now."""
        self.ensure_one()
        self.check_access('write')
        sentences = [
            self.env._(
                "The current secret, set on %s, keeps working for the number of days you enter, so that the "
                "application can be switched without interruption. With 0 it stops working now.",
                format_datetime(self.env, self.client_secret_date),
            )
        ]
        expires_at = self.previous_client_secret_expires_at
        if expires_at and expires_at > fields.Datetime.now():
            sentences.append(
                self.env._(
                    "The previous secret, which would work until %s, stops working now. If the application still "
                    "uses it, enter the current secret there first.",
                    format_datetime(self.env, expires_at),
                )
            )
        return ask(
            self,
            'action_generate_client_secret',
            title=self.env._("Generate a New Client Secret"),
            body='\n\n'.join(sentences),
            confirm_label=self.env._("Generate"),
            input={
                'name': 'keep_previous',
                'label': self.env._("Days to keep the current secret working"),
                'value': DEFAULT_OVERLAP.days,
                'min': 0,
                'max': MAX_OVERLAP.days,
            },
        )

    def action_show_first_client_secret(self):
        """Generate the client secret of an application that was just created, and open the dialog.

        The form calls this after the first save. It does not check the identity, because no
        sign-in depends on the application yet: someone at an unattended browser could just as
        well create another one.

        :return: the action; False for an application that needs no secret, has one or had one
        """
        self.ensure_one()
        self.check_access('write')
        is_new = self.create_uid == self.env.user and self.create_date > fields.Datetime.now() - NEW
        # sudo: orestapi.event - only asks whether there was a secret
        events = self.env['orestapi.event'].sudo()
        had_secret = self.has_client_secret or events.search_count(
            [('application_id', '=', self.id), ('kind', '=', 'client_secret_changed')], limit=1
        )
        if self.client_type == PUBLIC or not is_new or had_secret:
            return False
        return self._show_client_secret(self.generate_client_secret())

    def _show_client_secret(self, secret):
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("New Client Secret"),
            'res_model': 'orestapi.client.secret.show',
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_client_id': self.client_id, 'default_client_secret': secret},
        }

    def _check_client_secret_text(self, secret):
        match client_secret.find_defect(secret, [self.client_id, self.name]):
            case client_secret.Defect.LENGTH:
                message = self.env._(
                    "A client secret has %(shortest)s to %(longest)s characters.",
                    shortest=client_secret.MIN_LENGTH,
                    longest=client_secret.MAX_LENGTH,
                )
            case client_secret.Defect.CHARACTERS:
                message = self.env._(
                    "A client secret may only contain the letters a to z and A to Z, digits and - . _ ~. Many "
                    "applications cannot send other characters."
                )
            case client_secret.Defect.GUESSABLE:
                message = self.env._("This client secret is easy to guess. Let Odoo or another program generate one.")
            case _:
                return
        raise ValidationError(message)

    def _forget_client_secrets(self):
        # sudo: orestapi.application - nobody may read or write the hashes
        self.sudo().write({
            'client_secret_hash': False,
            'client_secret_date': False,
            'previous_client_secret_hash': False,
            'previous_client_secret_expires_at': False,
        })

    def _set_client_secret(self, secret, keep_previous=0):
        """Store the hash of a secret.

        :param secret: the new secret, or a false value for none
        :param int keep_previous: for how many days the previous secret keeps working
        """
        self.check_access('write')
        if secret and self.client_type == PUBLIC:
            raise ValidationError(
                self.env._(
                    "A public application has no client secret: leave it out, or make the application confidential."
                )
            )
        if secret:
            # Anyone who knows it can act as the service user, and redeem codes of users who are not asked.
            self._check_guard()
        # sudo: orestapi.application - nobody may read or write the hashes
        application = self.sudo()
        now = fields.Datetime.now()
        keep = bool(keep_previous and application.client_secret_hash)
        application.write({
            'client_secret_hash': secret and client_secret.compute_hash(secret),
            'client_secret_date': secret and now,
            'previous_client_secret_hash': keep and application.client_secret_hash,
            'previous_client_secret_expires_at': keep and now + timedelta(days=keep_previous),
        })
