from odoo import models

from ..dispatchers.access_token import get_active_token, refuse_access_token


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = 'base.partner.merge.automatic.wizard'

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        if get_active_token(self.env.cr):
            # Core merges in SQL, so no other method notices that a user gets another e-mail.
            # sudo: res.partner - whether one is the partner of a user, even one that the caller may not see
            partners = self.env['res.partner'].sudo().with_context(active_test=False).browse(partner_ids).exists()
            if partners.user_ids and len({partner.email or False for partner in partners}) > 1:
                refuse_access_token(self.env)
        return super()._merge(partner_ids, dst_partner, extra_checks)
