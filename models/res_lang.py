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
        return language.choose(header, self._get_installed_codes(), default or 'en_US')

    @api.model
    def _find_code(self, tags):
        """Return the code of the installed language that suits language tags best, the best tag first, or None."""
        return language.choose(', '.join(tags), self._get_installed_codes(), None)

    @api.model
    def _get_installed_codes(self):
        return {data.code: data.iso_code for data in self._get_active_by('code').values()}

    @api.model
    def _get_language_tag(self, code):
        """Return the language tag (BCP 47) of the language with a code, for HTML and the header `Content-Language`."""
        return language.get_tag(code or 'en_US')
