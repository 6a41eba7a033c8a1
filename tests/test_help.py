from odoo.tests import TransactionCase, tagged

#: What Odoo itself says of every record.
CORE = {'id', 'display_name', 'create_uid', 'create_date', 'write_uid', 'write_date', 'active'}


@tagged('post_install', '-at_install')
class TestHelp(TransactionCase):
    """Whoever points at a field reads what it is."""

    def test_every_field_that_is_shown_explains_itself(self):
        views = self.env['ir.ui.view'].search([('model', '=like', 'orestapi.%'), ('type', '!=', 'qweb')])
        shown = {}
        for view in views:
            # With those of the lists inside.
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
