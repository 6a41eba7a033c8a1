from odoo import api, models

from ..oauth2 import language


class ResLang(models.Model):
    """The choice of the language of a response: one rule for the records API and all pages."""

    _inherit = 'res.lang'

    @api.model
    def _choose_code(self, header, default):
        """Return the code of the installed language that a request prefers.

        :param header: the header `Accept-Language` (RFC 9110 §12.5.4), or None
        :param default: the code of the language to use when no requested language is installed, or a false value
        """
        installed = {data.code: data.iso_code for data in self._get_active_by('code').values()}
        return language.choose(header, installed, default or 'en_US')

    @api.model
    def _get_language_tag(self, code):
        """Return the language tag (BCP 47) of the language with a code, for HTML and the header `Content-Language`."""
        return language.get_tag(code or 'en_US')
