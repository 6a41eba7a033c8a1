from odoo import api, models

from ..dispatchers.access_token import get_active_token, refuse_access_token


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = 'base.partner.merge.automatic.wizard'

    @api.model
    def _update_foreign_keys_generic(self, model, src_records, dst_record):
        if model == 'res.users':
            # Tools that merge users, too: nobody goes on as the other one with the tokens that they have.
            self.env['orestapi.token']._end_sign_ins(src_records.ids, 'login_changed')
            self.env['orestapi.subject']._merge(src_records.ids, dst_record.id)
        return super()._update_foreign_keys_generic(model, src_records, dst_record)

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        if get_active_token(self.env.cr):
            # Core merges in SQL, so no other method notices that a user gets another e-mail.
            # sudo: res.partner - whether one is the partner of a user, even one that the caller may not see
            partners = self.env['res.partner'].sudo().with_context(active_test=False).browse(partner_ids).exists()
            if partners.user_ids and len({partner.email or False for partner in partners}) > 1:
                refuse_access_token(self.env)
        return super()._merge(partner_ids, dst_partner, extra_checks)
