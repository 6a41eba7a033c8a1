import gzip
import hashlib
import json

from odoo import api, models, tools

from ..records import openapi


class OrestapiRecord(models.AbstractModel):
    """The description of the records API, cached because it is large and seldom changes."""

    _inherit = 'orestapi.record'

    @api.model
    def _get_openapi(self, offer):
        """Return the OpenAPI document of everything that an application can read for the user.

        :param Offer offer: the offer of the application
        :return: the document in JSON, compressed by gzip, and a digest of it
        """
        issuer = self.env['orestapi.server']._get_issuer()
        descriptions = self._get_models(offer)
        # Includes the current names of the models, because renaming one does not empty the cache.
        state = hashlib.sha256(repr((issuer, offer.digest, descriptions)).encode()).hexdigest()
        return self._build_openapi(state, offer, issuer, descriptions)

    @api.model
    @tools.ormcache('state', 'self.env.lang', 'self.env.user._get_group_ids()', 'self.env.company.id')
    def _build_openapi(self, state, offer, issuer, descriptions):
        """Build the document.

        Cached like Odoo's access rights, for all users with the same groups.

        :param str state: a digest of the other parameters
        """
        described = [
            {**description, 'fields': self._get_fields(offer, description['model'])} for description in descriptions
        ]
        content = json.dumps(openapi.build(issuer, described), ensure_ascii=False).encode()
        # Without the time, so that all processes build the same bytes.
        return gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()
