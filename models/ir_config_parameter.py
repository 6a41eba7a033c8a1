import re

from odoo import api, models

from ..dispatchers.access_token import get_active_token, refuse_access_token

#: Prefix of this addon's system parameters.
PREFIX = 'orestapi.'

#: A plain number, without the digits of other scripts, spaces, signs and `_` that Python accepts.
NUMBER = re.compile('[0-9]{1,9}')

YES, NO = ('True', 'true', '1'), ('False', 'false', '0', '')


class IrConfigParameter(models.Model):
    _inherit = 'ir.config_parameter'

    @api.model_create_multi
    def create(self, vals_list):
        self._refuse_keys(vals.get('key') for vals in vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._refuse_keys([vals.get('key')])
        return super().write(vals)

    def unlink(self):
        self._refuse_keys()
        return super().unlink()

    def _refuse_keys(self, keys=()):
        """Refuse to change settings of this addon with an access token."""
        if get_active_token(self.env.cr) and any(str(key).startswith(PREFIX) for key in (*self.mapped('key'), *keys)):
            refuse_access_token(self.env)

    @api.model
    def _get_whole_number(self, key, default, lowest, highest):
        """Return a setting of this addon that is a whole number.

        An administrator of Odoo can write any text into a system parameter.

        :param str key: the system parameter
        :param int default: the value if the parameter is missing or not valid
        :param int lowest: the lowest valid number
        :param int highest: the highest valid number
        :return: the effective number, and whether the parameter has another value
        """
        # sudo: ir.config_parameter - a setting of this addon
        text = self.sudo().get_param(key)
        if text is False:
            return default, False
        if NUMBER.fullmatch(text) and lowest <= int(text) <= highest:
            return int(text), False
        return default, True

    @api.model
    def _get_choice(self, key):
        """Return a setting of this addon that is on or off, off by default.

        :param str key: the system parameter
        :return: whether it is on, and whether the parameter has a value other than on or off
        """
        # sudo: ir.config_parameter - a setting of this addon
        text = self.sudo().get_param(key) or ''
        return text in YES, text not in YES + NO
