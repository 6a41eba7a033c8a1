from odoo import Command
from odoo.tests import tagged

from .test_records import RECORDS, RecordsCase

CREDENTIAL = 'the-secret-of-a-webhook'


@tagged('post_install', '-at_install')
class TestRecordsIndirect(RecordsCase):
    """Excluded data must not appear through fields that are computed from it."""

    def limit(self, models, **configurations):
        """Offer all models, or a few, with limits of the fields of some.

        :param str models: the limit of the models
        :param configurations: of models, with `__` for the dots: the limit, and the names of the fields
        """
        self.scheme.write({
            'limit_models': models,
            'configuration_ids': [
                Command.clear(),
                *(
                    Command.create({
                        'name': model,
                        'model_id': self.env['ir.model']._get_id(model.replace('__', '.')),
                        'limit_fields': limit,
                        'field_ids': [
                            self.env['ir.model.fields']._get(model.replace('__', '.'), name).id for name in names
                        ],
                    })
                    for model, (limit, names) in configurations.items()
                ),
            ],
        })

    def assertLeftOut(self, *names, path=RECORDS):
        """Assert that fields cannot be read, searched or ordered by, and are not described."""
        told = self.get(path.replace('records', 'models')).json()['fields']
        for name in names:
            with self.subTest(name):
                self.assertFalse(name in told)
                for parameters in ({'fields': name}, {'order': name}, {'filter': f'{name} pr'}):
                    self.assertProblem(self.get(path, **parameters), 403, 'not_offered', challenge=False)

    def test_n200_name_of_a_related_record(self):
        """A relation shows the display name of the other record, which that model may not offer."""
        self.limit('whitelist', res__partner=('none', []), res__country=('whitelist', ['code']))
        self.assertLeftOut('country_id')
        self.assertNotIn("Hungary", self.get(f'{RECORDS}/{self.partners[0].id}').text)
        # Ids show no names; a list of the field by name asks for the names.
        self.limit('whitelist', res__partner=('whitelist', ['country_id']), res__country=('whitelist', ['code']))
        self.assertIn("Hungary", self.get(f'{RECORDS}/{self.partners[0].id}').text)
        self.limit('whitelist', res__partner=('none', []), res__country=('whitelist', ['display_name']))
        self.assertIn("Hungary", self.get(f'{RECORDS}/{self.partners[0].id}').text)

    def test_n200_computed_from_what_is_left_out(self):
        self.limit('none', res__partner=('blacklist', ['email', 'street']))
        self.partners.street = "A hidden street"
        self.assertLeftOut('email', 'street', 'email_formatted', 'contact_address')
        answer = self.get(f'{RECORDS}/{self.partners[0].id}')
        self.assertNotIn("secret.example.com", answer.text)
        self.assertNotIn("hidden street", answer.text)
        self.assertIn('display_name', answer.json()['fields'])

    def test_n200_display_name_of_what_is_left_out(self):
        self.limit('none', res__partner=('blacklist', ['name']))
        self.assertLeftOut('name', 'complete_name')
        for parameters in ({'search': "Partner"}, {'order': 'display_name'}, {'fields': 'display_name'}):
            with self.subTest(parameters=parameters):
                self.assertNotOffered(**parameters)
        self.assertNotIn("Partner 1", self.get(f'{RECORDS}/{self.partners[0].id}').text)

    def test_n200_display_name_that_is_made_of_what_is_left_out(self):
        """Also if it represents a record of another model."""
        state = self.env['res.country.state'].create({'name': "Tolna", 'code': 'TO', 'country_id': self.hungary.id})
        self.partners[0].state_id = state
        self.limit('none', res__country__state=('blacklist', ['country_id']))
        path = '/orestapi/1/records/res.country.state'
        self.assertLeftOut('country_id', 'display_name', path=path)
        self.assertLeftOut('state_id')
        for case, answer in enumerate((self.get(f'{path}/{state.id}'), self.get(f'{RECORDS}/{self.partners[0].id}'))):
            with self.subTest(case=case):
                self.assertEqual(answer.status_code, 200)
                self.assertNotIn("Tolna (", answer.text)
        # The parent of a partner is in its name.
        self.partners[0].parent_id = self.partners[1]
        self.limit('none', res__partner=('blacklist', ['parent_id', 'complete_name', 'commercial_company_name']))
        self.assertLeftOut('display_name')

    def test_n200_relation_to_records_that_the_user_does_not_see(self):
        """A filter does not even reveal whether there are any."""
        category = self.env['res.partner.category'].create({'name': "Hidden", 'partner_ids': self.partners[0].ids})
        seen = self.env['res.partner.category'].create({'name': "Seen", 'partner_ids': self.partners[1].ids})
        self.env['ir.rule'].create({
            'name': "Only one category",
            'model_id': self.env['ir.model']._get_id('res.partner.category'),
            'domain_force': [('id', '!=', category.id)],
        })
        self.limit('none')
        everybody = self.partners[0].id, self.partners[1].id
        for condition, expected in (
            ('category_id pr', [everybody[1]]),
            (f'category_id eq {category.id}', []),
            (f'category_id ne {category.id}', everybody),
            (f'category_id eq {seen.id}', [everybody[1]]),
            (f'category_id ne {seen.id}', [everybody[0]]),
            ('category_id eq null', [everybody[0]]),
            ('category_id ne null', [everybody[1]]),
            (f'category_id.id eq {category.id}', []),
        ):
            with self.subTest(condition):
                answer = self.get(RECORDS, filter=f'{condition} and (id eq {everybody[0]} or id eq {everybody[1]})')
                self.assertEqual(answer.status_code, 200, answer.text)
                self.assertCountEqual([record['id'] for record in answer.json()['records']], expected)
        self.assertProblem(self.get(RECORDS, filter='category_id gt 1'), 400, 'invalid_request')

    def test_n200_computed_from_another_model(self):
        """A sum is left out if its model is offered without the field; otherwise it shows no record."""
        self.limit('none', res__company=('none', []), res__partner=('blacklist', ['email', 'name']))
        path = '/orestapi/1/records/res.company'
        self.assertLeftOut('email', path=path)
        self.limit('none')
        self.assertIn('email', self.get(f'{path}/{self.env.company.id}').json()['fields'])

    def test_n208_text_of_a_binary(self):
        """The text that Odoo extracts from a file for searching is the file's content."""
        attachment = self.env['ir.attachment'].create({
            'name': "Letter",
            'raw': b'hidden words of a letter',
            'mimetype': 'text/plain',
            'res_model': 'res.partner',
            'res_id': self.partners[0].id,
        })
        self.assertIn('hidden words', attachment.index_content)
        self.limit('none')
        path = '/orestapi/1/records/ir.attachment'
        self.assertLeftOut('index_content', 'datas', 'raw', path=path)
        answer = self.get(f'{path}/{attachment.id}')
        self.assertEqual(answer.json()['fields']['name'], "Letter")
        self.assertNotIn('hidden words', answer.text)

    def test_n201_computed_from_a_credential(self):
        """For example the URL of a webhook, which contains the secret."""
        model_id = self.env['ir.model']._get_id('res.country')
        self.env['ir.model.fields'].create({'name': 'x_webhook_token', 'model_id': model_id, 'ttype': 'char'})
        self.env['ir.model.fields'].create([
            {
                'name': name,
                'model_id': model_id,
                'ttype': ttype,
                'store': False,
                'depends': 'x_webhook_token',
                'compute': f"for record in self:\n    record['{name}'] = {value}",
            }
            for name, ttype, value in (
                ('x_address', 'char', "'https://x/%s' % record.x_webhook_token"),
                ('x_has_address', 'boolean', "bool(record.x_webhook_token)"),
            )
        ])
        self.hungary.x_webhook_token = CREDENTIAL
        self.limit('none')
        path = '/orestapi/1/records/res.country'
        answer = self.get(f'{path}/{self.hungary.id}')
        self.assertNotIn(CREDENTIAL, answer.text)
        self.assertIs(answer.json()['fields']['x_has_address'], True)
        self.assertLeftOut('x_address', path=path)
        # It is offered if it is listed by name.
        self.limit('none', res__country=('whitelist', ['x_address']))
        self.assertIn(CREDENTIAL, self.get(f'{path}/{self.hungary.id}').text)
