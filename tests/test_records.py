import json
from urllib.parse import urlencode

from odoo import Command
from odoo.tests import tagged

from .common import PASSWORD, OAuth2Case

RECORDS = '/orestapi/1/records/res.partner'

#: The offered fields of partners.
PARTNER_FIELDS = (
    'display_name',
    'name',
    'country_id',
    'city',
    'is_company',
    'create_date',
    'category_id',
    'user_ids',
    'active',
    'color',
    'partner_latitude',
)


class RecordsCase(OAuth2Case):
    """An application that reads partners and countries, for an employee who sees the records of one country only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hungary, cls.germany = cls.env.ref('base.hu'), cls.env.ref('base.de')
        cls.partners = cls.env['res.partner'].create([
            {
                'name': f"Partner {number}",
                'country_id': country.id,
                'email': f'{number}@secret.example.com',
                'comment': f"<p>hidden {number}</p>",
                'vat': f'HU{number}',
                'city': city,
            }
            for number, country, city in (
                (1, cls.hungary, "Pécs"),
                (2, cls.hungary, False),
                (3, cls.germany, "Bonn"),
                (4, cls.hungary, "Bonn"),
            )
        ])
        cls.env['ir.rule'].create({
            'name': "No Germans",
            'model_id': cls.env['ir.model']._get_id('res.partner'),
            'groups': cls.env.ref('base.group_user').ids,
            'domain_force': "[('country_id.code', '!=', 'DE')]",
        })
        cls.scheme = cls.env['orestapi.model.scheme'].create({
            'name': "Test",
            'limit_models': 'whitelist',
            'configuration_ids': [
                Command.create({
                    'name': "People",
                    'model_id': cls.env['ir.model']._get_id(model),
                    'limit_fields': 'whitelist',
                    'field_ids': [cls.env['ir.model.fields']._get(model, field).id for field in fields],
                })
                for model, fields in (
                    ('res.partner', PARTNER_FIELDS),
                    ('res.country', ['name', 'code']),
                )
            ],
        })
        cls.application.model_scheme_id = cls.scheme
        cls.ours = cls.partners[0] + cls.partners[1] + cls.partners[3]
        cls.german = cls.partners[2]

    def setUp(self):
        super().setUp()
        self.token = self.sign_in(scope='read')['access_token']

    def get(self, path, token=True, method='GET', headers=None, body=None, **parameters):
        headers = dict(headers or {})
        if token:
            headers['Authorization'] = f'Bearer {self.token if token is True else token}'
        query = f'?{urlencode(parameters)}' if parameters else ''
        return self.url_open(path + query, headers=headers, data=body, method=method, allow_redirects=False)

    def search(self, **parameters):
        """Return the response to a search of partners, which must succeed."""
        response = self.get(RECORDS, **parameters)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(response.headers['Content-Type'], 'application/json')
        self.assertEqual(response.headers['Cache-Control'], 'no-store, private')
        self.assertNotIn('Set-Cookie', response.headers)
        return response.json()

    def find(self, **parameters):
        """Return the records that a search finds among those of the test."""
        parameters.setdefault('ids', ','.join(map(str, self.partners.ids)))
        found = self.search(**parameters)['records']
        return self.env['res.partner'].browse(record['id'] for record in found)

    def assertQueryRefused(self, status, error, **parameters):
        self.assertProblem(self.get(RECORDS, **parameters), status, error)

    def assertQueryInvalid(self, **parameters):
        self.assertQueryRefused(400, 'invalid_request', **parameters)

    def assertNotOffered(self, **parameters):
        self.assertProblem(self.get(RECORDS, **parameters), 403, 'not_offered', challenge=False)


@tagged('post_install', '-at_install')
class TestRecords(RecordsCase):
    """Reading and searching at `/orestapi/1`."""

    def test_models(self):
        response = self.get('/orestapi/1/models').json()
        self.assertEqual(
            [(model['model'], model['name']) for model in response['models']],
            [('res.country', "People"), ('res.partner', "People")],
        )
        self.assertEqual(response['models'][1]['link'], 'https://odoo.example.com/odoo/res.partner')

    def test_model(self):
        response = self.get('/orestapi/1/models/res.country').json()
        self.assertEqual(set(response['fields']), {'id', 'name', 'code'})
        self.assertEqual(response['fields']['name']['label'], "Country Name")
        self.assertTrue(response['fields']['name']['required'])

    def test_values(self):
        partner = self.partners[0]
        names = 'name,country_id,city,is_company,create_date,category_id,partner_latitude'
        response = self.get(f'{RECORDS}/{partner.id}', fields=names)
        self.assertEqual(
            response.json(),
            {
                'model': 'res.partner',
                'id': partner.id,
                'link': f'https://odoo.example.com/odoo/res.partner/{partner.id}',
                'fields': {
                    'name': "Partner 1",
                    'country_id': [self.hungary.id, "Hungary"],
                    'city': "Pécs",
                    'is_company': False,
                    'create_date': partner.create_date.isoformat(timespec='seconds') + 'Z',
                    'category_id': [],
                    'partner_latitude': 0.0,
                },
            },
        )

    def test_empty_value(self):
        response = self.get(f'{RECORDS}/{self.partners[1].id}', fields='city')
        self.assertEqual(response.json()['fields'], {'city': None})

    def test_default_fields(self):
        [record] = self.search(ids=self.partners[0].id)['records']
        self.assertEqual(record['fields'], {'display_name': "Partner 1"})
        response = self.get(f'{RECORDS}/{self.partners[0].id}')
        self.assertEqual(set(response.json()['fields']), set(PARTNER_FIELDS))

    def test_filter(self):
        first, second, _german, fourth = self.partners
        for text, expected in (
            ('name eq "Partner 1"', first),
            ('name co "ARTNER"', self.ours),
            ('name co "%"', self.env['res.partner']),
            ('name sw "Partner" and not (name ew "1")', second + fourth),
            ('city pr', first + fourth),
            ('not (city pr)', second),
            ('city eq null', second),
            ('city ne "Bonn"', first + second),
            (f'country_id eq {self.hungary.id}', self.ours),
            ('country_id.code eq "HU"', self.ours),
            ('country_id.code eq "DE"', self.env['res.partner']),
            (f'id gt {first.id} and id le {fourth.id}', second + fourth),
            ('create_date gt "2020-01-01T00:00:00+02:00"', self.ours),
            ('create_date gt "2020-01-01"', self.ours),
            ('partner_latitude eq 0.5', self.env['res.partner']),
            ('is_company eq true', self.env['res.partner']),
            ('display_name co "partner 4"', fourth),
            ('city eq "Pécs" OR city eq "Bonn"', first + fourth),
        ):
            with self.subTest(text):
                self.assertEqual(self.find(filter=text), expected)

    def test_archived(self):
        self.partners[0].active = False
        found = {record['id'] for record in self.search(filter='name sw "Partner "')['records']}
        self.assertFalse(found & set(self.partners[0].ids))
        self.assertLessEqual(set(self.ours[1:].ids), found)
        # A record can be read by its id: see test_r06_archived_records.
        self.assertEqual(self.find(), self.ours)
        self.assertEqual(self.find(filter='active eq false'), self.partners[0])

    def test_search_by_display_name(self):
        self.assertEqual(self.find(search="partner 2"), self.partners[1])
        # PostgreSQL cannot store it.
        self.assertEqual(self.get(RECORDS, search="partner\0").status_code, 400)

    def test_order_and_pages(self):
        first, second, _german, fourth = self.partners
        for text, expected in (
            ('city', fourth + first + second),
            ('-city', second + first + fourth),
            ('-id', fourth + second + first),
            ('is_company,-name', fourth + second + first),
            ('create_date,id', first + second + fourth),
            ('-display_name', fourth + second + first),
            ('color,partner_latitude', first + second + fourth),
        ):
            with self.subTest(text):
                self.assertEqual(self.find(order=text), expected)
                found, cursor = self.env['res.partner'], None
                for _page in range(3):
                    more = {'cursor': cursor} if cursor else {}
                    page = self.search(ids=','.join(map(str, self.partners.ids)), order=text, limit=1, **more)
                    [record] = page['records']
                    found += found.browse(record['id'])
                    cursor = page['next_cursor']
                self.assertIsNone(cursor)
                self.assertEqual(found, expected)

    def test_cursor_of_another_search(self):
        ids = ','.join(map(str, self.partners.ids))
        cursor = self.search(ids=ids, limit=1)['next_cursor']
        self.assertQueryInvalid(ids=ids, limit=1, order='-id', cursor=cursor)
        self.assertQueryInvalid(ids=ids, limit=1, cursor=cursor[:-4] + 'AAAA')
        self.assertQueryInvalid(ids=ids, cursor='W10')

    def test_count(self):
        self.assertNotIn('count', self.search())
        page = self.search(ids=','.join(map(str, self.partners.ids)), limit=1, count='true')
        self.assertEqual((len(page['records']), page['count']), (1, 3))

    def test_language(self):
        self.env['res.lang']._activate_lang('de_DE')
        self.env['res.lang']._activate_lang('hu_HU')
        self.env.ref('base.hu').with_context(lang='de_DE').name = "Ungarn"
        path = f'/orestapi/1/records/res.country/{self.hungary.id}'
        for header, expected, language in (
            (None, "Hungary", 'en-US'),
            ('de-AT', "Ungarn", 'de-DE'),
            ('xx, de;q=0.5', "Ungarn", 'de-DE'),
            ('en', "Hungary", 'en-US'),
            ('*', "Hungary", 'en-US'),
            ('xx', "Hungary", 'en-US'),
            ('xx, de;q=0', "Hungary", 'en-US'),
        ):
            with self.subTest(header):
                response = self.get(path, fields='name', headers=header and {'Accept-Language': header})
                self.assertEqual(response.json()['fields']['name'], expected)
                self.assertEqual(response.headers['Content-Language'], language)
                self.assertIn('Accept-Language', response.headers['Vary'])
        self.user.lang = 'de_DE'
        self.assertEqual(self.get(path, fields='name').json()['fields']['name'], "Ungarn")

    def test_companies_are_those_of_the_user(self):
        company = self.env['res.company'].create({'name': "Another"})
        self.env['ir.rule'].create({
            'name': "By company",
            'model_id': self.env['ir.model']._get_id('res.partner'),
            'domain_force': "[('company_id', 'in', [False, *company_ids])]",
        })
        self.partners[0].company_id = company
        self.assertEqual(self.find(), self.ours[1:])
        self.user.company_ids += company
        self.assertEqual(self.find(), self.ours)

    def test_pictures(self):
        path = '/orestapi/1/models/res.partner/icon'
        self.assertProblem(self.get(path), 404, 'not_found', challenge=False)
        picture = self.env.ref('base.main_partner').avatar_128
        self.scheme.configuration_ids.icon = picture
        self.application.logo = picture
        for address in (path, '/orestapi/1/application/logo'):
            with self.subTest(address=address):
                response = self.get(address)
                self.assertEqual(response.status_code, 200, response.text)
                self.assertRegex(response.headers['Content-Type'], r'image/\w+')
                self.assertEqual(response.headers['Cache-Control'], 'private, max-age=3600')
                response = self.get(address, headers={'If-None-Match': response.headers['ETag']})
                self.assertEqual((response.status_code, response.content), (304, b''))

    def test_openapi_offers_search_where_it_works(self):
        """The display name of a currency rate is its date."""
        self.application.model_scheme_id = self.env['orestapi.model.scheme'].create({
            'name': "All",
            'limit_models': 'none',
        })
        paths = self.get('/orestapi/1/openapi.json').json()['paths']
        for model, expected in (('res.country', True), ('res.currency.rate', False)):
            with self.subTest(model):
                parameters = paths[f'/orestapi/1/records/{model}']['get']['parameters']
                self.assertEqual('search' in [parameter['name'] for parameter in parameters], expected)
                response = self.get(f'/orestapi/1/records/{model}', search='a')
                self.assertEqual(response.status_code, 200 if expected else 400)
                described = self.get(f'/orestapi/1/models/{model}').json()['fields']['display_name']
                self.assertIs(described['searchable'], expected)

    def test_openapi_is_narrowed(self):
        document = self.get('/orestapi/1/openapi.json').json()
        self.assertEqual(document['openapi'], '3.1.0')
        self.assertIn(RECORDS, document['paths'])
        self.assertNotIn('res.users', json.dumps(document))
        self.assertNotIn('vat', document['components']['schemas']['res.partner.fields']['properties'])

    def test_documentation(self):
        """People see what an application can read for them, and no applications that they have not allowed."""
        path = '/orestapi/1/docs'
        self.logout()
        self.assertIn('/web/login', self.url_open(path).url)
        self.authenticate(self.user.login, PASSWORD)
        page = self.url_open(path).text
        self.assertIn('res.partner', page)
        self.assertIn("Wiki", page)
        self.assertNotIn("Shop", page)
        self.assertNotIn('>vat</code>', page)
        other = self.url_open(f'{path}?application={self.other.id}').text
        self.assertNotIn("Shop", other)
        self.assertEqual(self.url_open(f'{path}?application=x&self=1&other=1').status_code, 200)
        self.authenticate(self.administrator.login, PASSWORD)
        self.assertIn("Shop", self.url_open(path).text)
        self.authenticate(self.portal_user.login, PASSWORD)
        self.assertNotIn('res.partner', self.url_open(path).text)
