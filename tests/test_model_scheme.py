from odoo.tests import TransactionCase


class TestModelScheme(TransactionCase):

    def test_shipped(self):
        offer = self.env['orestapi.model.scheme']._get_offer(self.env.ref('orestapi.model_scheme_default').id)
        self.assertIn('res.partner', offer.models)
