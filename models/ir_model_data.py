import logging

from odoo import api, models
from odoo.exceptions import ValidationError

from ..dispatchers.hooks import attempt

_logger = logging.getLogger(__name__)

PAGE = 'portal.portal_my_security'
VIEW = 'portal_my_security'


class IrModelData(models.Model):
    _inherit = 'ir.model.data'

    @api.model
    def _process_end(self, modules):
        # Core calls this once after any addons were installed or updated.
        result = super()._process_end(modules)
        # A fault here must not keep other addons from being installed.
        attempt(self._extend_portal)
        return result

    @api.model
    def _extend_portal(self):
        """Add an entry to the portal's page *Connection & Security* as soon as both addons are installed.

        A data file could inherit from that page only in an addon that depends on Portal. The
        view has an XML id of this addon, so it is deleted when this addon is uninstalled; when
        Portal is, core deletes it with the page it inherits from.
        """
        page = self.env.ref(PAGE, raise_if_not_found=False)
        if not page or self.env.ref(f'orestapi.{VIEW}', raise_if_not_found=False):
            return
        # sudo: ir.ui.view - part of an installation, whichever user started it
        views = self.env['ir.ui.view'].sudo()
        try:
            with self.env.cr.savepoint():
                view = views.create({
                    'name': "Connection & Security: connected applications",
                    'key': f'orestapi.{VIEW}',
                    'type': 'qweb',
                    'inherit_id': page.id,
                    'arch': """
                        <xpath expr="//div[hasclass('o_portal_security_body')]" position="inside">
                            <t t-call="orestapi.portal_entry"/>
                        </xpath>
                    """,
                })
        except ValidationError:
            # Somebody has rebuilt the page: install without the entry.
            _logger.info("The portal gets no entry for connected applications: its page has an unknown structure.")
            return
        self.create({
            'module': 'orestapi',
            'name': VIEW,
            'model': views._name,
            'res_id': view.id,
            # Otherwise the next update would delete it, because it is in no data file.
            'noupdate': True,
        })
