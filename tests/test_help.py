from odoo.tests import TransactionCase, tagged

#: Fields that Odoo adds to every model.
CORE = {'id', 'display_name', 'create_uid', 'create_date', 'write_uid', 'write_date', 'active'}


@tagged('post_install', '-at_install')
class TestHelp(TransactionCase):
    """Every field has a help text."""

    def test_every_field_that_is_shown_explains_itself(self):
        views = self.env['ir.ui.view'].search([('model', '=like', 'orestapi.%'), ('type', '!=', 'qweb')])
        shown = {}
        for view in views:
            # Includes the fields of embedded lists.
            for field in self.env[view.model].get_view(view.id)['models'].items():
                shown.setdefault(field[0], set()).update(field[1])
        checked = 0
        for model, names in shown.items():
            if not model.startswith('orestapi.'):
                continue
            for name in names - CORE:
                with self.subTest(model=model, field=name):
                    checked += 1
                    self.assertTrue(self.env[model]._fields[name].help)
        self.assertGreater(checked, 80)
