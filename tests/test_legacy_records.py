import json
from urllib.parse import urlencode

from odoo.tests import tagged

from .common import CLIENT_SECRET
from .test_records import RecordsCase

MODEL, FIELD = '/orestapi/application/model', '/orestapi/model/field'
NAME_SEARCH, READ = '/orestapi/record/name_search', '/orestapi/record/read'
PATHS = (MODEL, FIELD, NAME_SEARCH, READ)


@tagged('post_install', '-at_install')
class TestLegacyRecords(RecordsCase):
    """Records at the addresses of the older connector."""

    def ask(self, path, method='GET', **parameters):
        """Send a request of the older connector: lists are JSON text, in the query or in a form."""
        encoded = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
        if method == 'GET':
            return self.get(path, **encoded)
        return self.post(path, encoded, headers={'Authorization': f'Bearer {self.token}'})

    def load(self, path, **parameters):
        """Return the answer, which must be the same to GET and POST."""
        answers = []
        for method in ('GET', 'POST'):
            response = self.ask(path, method, **parameters)
            self.assertEqual(response.status_code, 200, response.text)
            self.assertEqual(response.headers['Content-Type'], 'application/json')
            self.assertEqual(response.headers['Cache-Control'], 'no-store, private')
            self.assertNotIn('Set-Cookie', response.headers)
            answers.append(response.json())
        self.assertEqual(*answers)
        return answers[0]

    def assertLegacyError(self, response, status, error):
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.headers['Cache-Control'], 'no-store, private')
        self.assertNotIn('Set-Cookie', response.headers)
        content = response.json()
        self.assertEqual(set(content) - {'error'}, {'error_description', 'orestapi_code', 'orestapi_message'})
        self.assertEqual(content.get('error'), error)
        self.assertRegex(content['orestapi_code'], rf'\A[A-Z][A-Za-z]+-{status}\Z')
        self.assertEqual(content['orestapi_message'], content['error_description'])
        if status in (400, 401, 403):
            self.assertTrue(response.headers['WWW-Authenticate'].startswith('Bearer realm='))

    def refuse(self, status, error, path, **parameters):
        for method in ('GET', 'POST'):
            self.assertLegacyError(self.ask(path, method, **parameters), status, error)

    def test_models(self):
        self.assertEqual(self.load(MODEL), [
            {'model': 'res.country', 'name': "People"}, {'model': 'res.partner', 'name': "People"}])

    def test_fields(self):
        self.assertEqual(
            self.load(FIELD, model='res.partner', names=['name', 'country_id'], data=['ttype', 'relation']),
            [{'name': 'name', 'ttype': 'char', 'relation': False},
             {'name': 'country_id', 'ttype': 'many2one', 'relation': 'res.country'}])
        [field] = self.load(FIELD, model='res.country', names=['code'])
        self.assertEqual((field['name'], field['field_description'], field['ttype']), ('code', "Country Code", 'char'))
        fields = self.load(FIELD, model='res.country', names=[])
        self.assertEqual({field['name'] for field in fields}, {'id', 'name', 'code'})

    def test_name_search(self):
        header, data = self.load(NAME_SEARCH, model='res.partner', name="Partner ", limit='2', offset='1')
        action_id, menu_id = self.env['orestapi.record'].with_user(self.user)._get_location('res.partner')
        self.assertEqual(header, {'header': {
            'model': 'res.partner', 'action_id': action_id, 'menu_id': menu_id, 'count': 3, 'offset': 1, 'limit': 2}})
        self.assertEqual(data, {'data': [
            {'id': self.partners[1].id, 'display_name': "Partner 2"},
            {'id': self.partners[3].id, 'display_name': "Partner 4"}]})
        _header, data = self.load(NAME_SEARCH, model='res.partner', name="Partner ", order='name desc')
        self.assertEqual([row['display_name'] for row in data['data']], ["Partner 4", "Partner 2", "Partner 1"])
        header, data = self.load(NAME_SEARCH, model='res.partner')
        self.assertEqual((header['header']['limit'], header['header']['offset']), (20, 0))
        self.assertEqual(len(data['data']), min(20, header['header']['count']))

    def test_read(self):
        header, data = self.load(
            READ, model='res.partner', ids=self.ours[:2].ids, fields=['name', 'city', 'country_id', 'category_id'])
        self.assertEqual(set(header['header']), {'model', 'action_id', 'menu_id'})
        country = [self.hungary.id, "Hungary"]
        self.assertEqual(data, {'data': [
            {'id': self.ours[0].id, 'name': "Partner 1", 'city': "Pécs", 'country_id': country, 'category_id': []},
            {'id': self.ours[1].id, 'name': "Partner 2", 'city': False, 'country_id': country, 'category_id': []}]})
        _header, data = self.load(READ, model='res.partner', ids=self.ours[:1].ids, fields=['create_date'])
        self.assertRegex(data['data'][0]['create_date'], r'\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z')
        _header, data = self.load(READ, model='res.partner', ids=self.ours[:1].ids)
        self.assertIn('name', data['data'][0])
        self.assertNotIn('email', data['data'][0])

    def test_legacy_n184_no_credentials(self):
        for path in PATHS:
            response = self.get(path, token=None)
            self.assertLegacyError(response, 401, None)
            self.assertEqual(response.headers['WWW-Authenticate'], 'Bearer realm="orestapi"')

    def test_legacy_n185_n192_wrong_token(self):
        tokens = self.sign_in(scope='read')
        rpc = self.sign_in(scope='rpc')['access_token']
        for path in PATHS:
            for token in (tokens['refresh_token'], CLIENT_SECRET.split()[0], 'x', tokens['access_token'][:-1] + '~'):
                self.assertLegacyError(self.get(path, token=token), 401, 'invalid_token')
            response = self.get(path, token=rpc)
            self.assertLegacyError(response, 403, 'insufficient_scope')
            self.assertIn('scope="read"', response.headers['WWW-Authenticate'])

    def test_legacy_n187_n188_n189_n191_where_the_token_is(self):
        for path in PATHS:
            self.assertLegacyError(self.get(path, access_token=self.token), 400, 'invalid_request')
            self.assertLegacyError(self.get(path, token=None, access_token=self.token), 401, None)
            self.assertLegacyError(self.post(path, {'access_token': self.token}), 401, None)
            self.assertLegacyError(
                self.post(path, {'access_token': self.token}, headers={'Authorization': f'Bearer {self.token}'}),
                400, 'invalid_request')
            for scheme in ('OAuth', 'Basic', 'Token'):
                response = self.get(path, token=None, headers={'Authorization': f'{scheme} {self.token}'})
                self.assertLegacyError(response, 401, None)
        self.assertEqual(self.get(MODEL, token=None, headers={
            'Authorization': f'bearer {self.token}'}).status_code, 200)

    def test_legacy_n197_n198_user_or_application_archived(self):
        self.application.active = False
        self.assertLegacyError(self.get(MODEL), 401, 'invalid_token')
        self.application.active = True
        self.user.active = False
        self.assertLegacyError(self.get(MODEL), 401, 'invalid_token')

    def test_legacy_n199_model_outside(self):
        for model in ('res.users', 'no.such.model', 'ir.config_parameter', 'base', '__class__'):
            for path, parameters in (
                    (FIELD, {'names': ['name']}), (NAME_SEARCH, {}), (READ, {'ids': [1], 'fields': ['name']})):
                self.refuse(403, 'insufficient_scope', path, model=model, **parameters)
        self.application.model_scheme_id = False
        self.assertEqual(self.load(MODEL), [])
        self.refuse(403, 'insufficient_scope', NAME_SEARCH, model='res.partner')

    def test_legacy_n200_n201_field_outside(self):
        for name in ('email', 'vat', 'comment', 'signup_token'):
            if name in self.env['res.partner']._fields:
                self.refuse(403, 'insufficient_scope', FIELD, model='res.partner', names=[name])
                self.refuse(403, 'insufficient_scope', READ, model='res.partner', ids=self.ours.ids, fields=[name])
                self.refuse(403, 'insufficient_scope', NAME_SEARCH, model='res.partner', order=name)
        self.refuse(400, 'invalid_request', READ, model='res.partner', ids=[1], fields=['country_id.code'])
        self.refuse(400, 'invalid_request', NAME_SEARCH, model='res.partner', order='country_id.code')
        # The e-mail is hidden, and core searches by it.
        header, _data = self.load(NAME_SEARCH, model='res.partner', name='secret.example.com')
        self.assertEqual(header['header']['count'], 0)

    def test_legacy_n202_record_outside(self):
        header, data = self.load(NAME_SEARCH, model='res.partner', name="Partner 3")
        self.assertEqual((header['header']['count'], data['data']), (0, []))
        _header, data = self.load(READ, model='res.partner', ids=self.partners.ids, fields=['name'])
        self.assertEqual([row['id'] for row in data['data']], self.ours.ids)

    def test_legacy_n203_context(self):
        _header, data = self.load(
            READ, model='res.partner', ids=self.German.ids, fields=['name'], context={'allowed_company_ids': [1]},
            sudo='1', lang='hu_HU', uid='1')
        self.assertEqual(data['data'], [])
        # Odoo would hand them to the handler as arguments.
        self.assertEqual(self.get(f'{MODEL}?self=x&args=x').status_code, 200)

    def test_legacy_n205_n212_methods(self):
        for path in PATHS:
            for method in ('PUT', 'PATCH', 'DELETE'):
                self.assertEqual(self.get(path, method=method).status_code, 405)

    def test_legacy_n206_n207_nonsense(self):
        partner = {'model': 'res.partner'}
        for path, parameters in (
            (FIELD, {}), (FIELD, partner), (NAME_SEARCH, {}), (READ, {}), (READ, partner),
            (FIELD, {**partner, 'names': 'name'}), (FIELD, {**partner, 'names': '{}'}),
            (FIELD, {**partner, 'names': [1]}), (FIELD, {**partner, 'names': ['no_such_field']}),
            (FIELD, {**partner, 'names': ['name'], 'data': ['compute']}),
            (FIELD, {**partner, 'names': ['name'], 'data': [['name']]}),
            *((NAME_SEARCH, {**partner, 'limit': limit}) for limit in ('-1', '0', '1001', '1000000000', 'abc', '1.5')),
            *((NAME_SEARCH, {**partner, 'offset': offset}) for offset in ('-1', 'x', '9999999999')),
            (NAME_SEARCH, {**partner, 'order': 'name; DROP TABLE res_partner'}),
            (NAME_SEARCH, {**partner, 'order': 'no_such_field'}),
            (NAME_SEARCH, {**partner, 'name': 'a\0b'}),
            *((READ, {**partner, 'ids': ids}) for ids in (
                '1', 'x', '["1"]', '[true]', '[1.5]', '[0]', '[-1]', '[99999999999999]', '[null]', '[' * 5000,
                '[' + '1' * 5000 + ']', list(range(1, 1500)))),
            (READ, {**partner, 'ids': [1], 'fields': ['no_such_field']}),
            (READ, {**partner, 'ids': [1], 'fields': [{}]}),
        ):
            with self.subTest(path=path, parameters=str(parameters)[:80]):
                self.refuse(400, 'invalid_request', path, **parameters)
        response = self.ask(READ, 'POST', **partner, ids=list(range(1, 100_001)))
        self.assertLegacyError(response, 413, 'invalid_request')
        self.assertLegacyError(
            self.get(f'{NAME_SEARCH}?model=res.partner&model=res.country'), 400, 'invalid_request')

    def test_legacy_n209_session_of_another_user(self):
        self.authenticate('ada', 'a password of at least 8')
        response = self.get(f'{READ}?{urlencode({"model": "res.partner", "ids": str(self.German.ids)})}')
        self.assertEqual(response.json()[1], {'data': []})
        self.assertNotIn('Set-Cookie', response.headers)

    def test_legacy_n211_origin(self):
        response = self.get(MODEL, headers={'Origin': 'https://evil.example'})
        self.assertNotIn('Access-Control-Allow-Origin', response.headers)
