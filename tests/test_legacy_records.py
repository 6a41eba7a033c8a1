import json
from urllib.parse import urlencode

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CALLBACK, CLIENT_SECRET, FOREIGN_TOKENS
from .oauth2_client import VERIFIER
from .test_records import RecordsCase

MODEL, FIELD = '/orestapi/application/model', '/orestapi/model/field'
NAME_SEARCH, READ = '/orestapi/record/name_search', '/orestapi/record/read'
PATHS = (MODEL, FIELD, NAME_SEARCH, READ)


@tagged('post_install', '-at_install')
class TestLegacyRecords(RecordsCase):
    """Records at the endpoints of the older connector."""

    def ask(self, path, method='GET', **parameters):
        """Send a request of the older connector: lists are JSON text, in the query or in a form."""
        encoded = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
        if method == 'GET':
            return self.get(path, **encoded)
        # A request for a thousand ids takes five seconds, and on a loaded machine longer than core waits.
        return self.post(path, encoded, headers={'Authorization': f'Bearer {self.token}'}, timeout=60)

    def load(self, path, **parameters):
        """Return the response, which must be the same for GET and POST."""
        answers = []
        for method in ('GET', 'POST'):
            with self.subTest(method=method):
                response = self.ask(path, method, **parameters)
                self.assertEqual(response.status_code, 200, response.text)
                self.assertEqual(response.headers['Content-Type'], 'application/json')
                self.assertEqual(response.headers['Cache-Control'], 'no-store, private')
                self.assertNotIn('Set-Cookie', response.headers)
                answers.append(response.json())
        self.assertEqual(*answers)
        return answers[0]

    def assertLegacyRecordsError(self, response, status, error):
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
            with self.subTest(method=method):
                self.assertLegacyRecordsError(self.ask(path, method, **parameters), status, error)

    def test_models(self):
        self.assertEqual(
            self.load(MODEL), [{'model': 'res.country', 'name': "People"}, {'model': 'res.partner', 'name': "People"}]
        )

    def test_fields(self):
        self.assertEqual(
            self.load(FIELD, model='res.partner', names=['name', 'country_id'], data=['ttype', 'relation']),
            [
                {'name': 'name', 'ttype': 'char', 'relation': False},
                {'name': 'country_id', 'ttype': 'many2one', 'relation': 'res.country'},
            ],
        )
        [field] = self.load(FIELD, model='res.country', names=['code'])
        self.assertEqual((field['name'], field['field_description'], field['ttype']), ('code', "Country Code", 'char'))
        fields = self.load(FIELD, model='res.country', names=[])
        self.assertEqual({field['name'] for field in fields}, {'id', 'name', 'code'})

    def test_name_search(self):
        header, data = self.load(NAME_SEARCH, model='res.partner', name="Partner ", limit='2', offset='1')
        action_id, menu_id = self.env['orestapi.record'].with_user(self.user)._get_action_and_menu_ids('res.partner')
        self.assertEqual(
            header,
            {
                'header': {
                    'model': 'res.partner',
                    'action_id': action_id,
                    'menu_id': menu_id,
                    'count': 3,
                    'offset': 1,
                    'limit': 2,
                }
            },
        )
        self.assertEqual(
            data,
            {
                'data': [
                    {'id': self.partners[1].id, 'display_name': "Partner 2"},
                    {'id': self.partners[3].id, 'display_name': "Partner 4"},
                ]
            },
        )
        _header, data = self.load(NAME_SEARCH, model='res.partner', name="Partner ", order='name desc')
        self.assertEqual([row['display_name'] for row in data['data']], ["Partner 4", "Partner 2", "Partner 1"])
        header, data = self.load(NAME_SEARCH, model='res.partner')
        self.assertEqual((header['header']['limit'], header['header']['offset']), (20, 0))
        self.assertEqual(len(data['data']), min(20, header['header']['count']))

    def test_read(self):
        header, data = self.load(
            READ, model='res.partner', ids=self.ours[:2].ids, fields=['name', 'city', 'country_id', 'category_id']
        )
        self.assertEqual(set(header['header']), {'model', 'action_id', 'menu_id'})
        country = [self.hungary.id, "Hungary"]
        self.assertEqual(
            data,
            {
                'data': [
                    {
                        'id': self.ours[0].id,
                        'name': "Partner 1",
                        'city': "Pécs",
                        'country_id': country,
                        'category_id': [],
                    },
                    {
                        'id': self.ours[1].id,
                        'name': "Partner 2",
                        'city': False,
                        'country_id': country,
                        'category_id': [],
                    },
                ]
            },
        )
        _header, data = self.load(READ, model='res.partner', ids=self.ours[:1].ids, fields=['create_date'])
        self.assertRegex(data['data'][0]['create_date'], r'\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z')
        _header, data = self.load(READ, model='res.partner', ids=self.ours[:1].ids)
        self.assertIn('name', data['data'][0])
        self.assertNotIn('email', data['data'][0])

    def test_n184_no_credentials(self):
        for path in PATHS:
            with self.subTest(path=path):
                response = self.get(path, token=None)
                self.assertLegacyRecordsError(response, 401, None)
                self.assertEqual(response.headers['WWW-Authenticate'], 'Bearer realm="orestapi"')

    def test_n185_n192_n193_n213_wrong_token(self):
        tokens = self.sign_in(scope='read')
        rpc = self.sign_in(scope='rpc')['access_token']
        for path in PATHS:
            with self.subTest(path=path):
                for token in (tokens['refresh_token'], CLIENT_SECRET[:8], 'x', tokens['access_token'][:-1] + '~'):
                    with self.subTest(token=token):
                        self.assertLegacyRecordsError(self.get(path, token=token), 401, 'invalid_token')
                response = self.get(path, token=rpc)
                self.assertLegacyRecordsError(response, 403, 'insufficient_scope')
                self.assertIn('scope="read"', response.headers['WWW-Authenticate'])

    def test_n186_malformed_header(self):
        for path in PATHS:
            for header in (
                'Bearer',
                'Bearer ',
                'Bearer a b',
                f'Bearer {self.token},',
                f'Bearer {self.token}, Bearer {self.token}',
                f'Bearer\t{self.token}',
                f'Bearer {self.token} x',
            ):
                with self.subTest(path=path, header=header):
                    response = self.get(path, token=None, headers={'Authorization': header})
                    self.assertLegacyRecordsError(response, 400, 'invalid_request')
        # RFC 6750 §2.1 has `1*SP`, so two spaces are allowed.
        response = self.get(MODEL, token=None, headers={'Authorization': f'Bearer  {self.token}'})
        self.assertEqual(response.status_code, 200)

    def test_n187_n188_n189_n190_n191_where_the_token_is(self):
        for path in PATHS:
            with self.subTest(path=path):
                self.assertLegacyRecordsError(self.get(path, access_token=self.token), 400, 'invalid_request')
                self.assertLegacyRecordsError(self.get(path, token=None, access_token=self.token), 401, None)
                self.assertLegacyRecordsError(self.post(path, {'access_token': self.token}), 401, None)
                self.assertLegacyRecordsError(
                    self.post(path, {'access_token': self.token}, headers={'Authorization': f'Bearer {self.token}'}),
                    400,
                    'invalid_request',
                )
                for scheme in ('OAuth', 'Basic', 'Token'):
                    with self.subTest(scheme=scheme):
                        response = self.get(path, token=None, headers={'Authorization': f'{scheme} {self.token}'})
                        self.assertLegacyRecordsError(response, 401, None)
        self.assertEqual(
            self.get(MODEL, token=None, headers={'Authorization': f'bearer {self.token}'}).status_code, 200
        )

    def test_n193_scope_read_opens_nothing_else(self):
        self.application.legacy_connector = True
        code = self.get_code(scope='read')
        token = self.post(
            '/orestapi/oauth2/access_token',
            {
                'grant_type': 'authorization_code',
                'code': code,
                'redirect_uri': CALLBACK,
                'code_verifier': VERIFIER,
                'client_id': self.application.client_id,
                'client_secret': CLIENT_SECRET,
            },
            headers={'Authorization': 'OAuth'},
        ).json()['access_token']
        self.assertEqual(self.get(MODEL, token=token).status_code, 200)
        response = self.call_json2(token)
        self.assertEqual((response.status_code, response.json()['error']), (403, 'insufficient_scope'))
        self.assertFault(3, self.call_xmlrpc, self.user, 'res.users', 'context_get', password=token)

    def test_n194_token_of_another_database(self):
        """The token names a row that may exist here, but its secret was never issued here."""
        row = self.token.split('_')[2]
        for path in PATHS:
            with self.subTest(path=path):
                self.assertLegacyRecordsError(
                    self.get(path, token=f'orestapi_at_{row}_' + 'x' * 43), 401, 'invalid_token'
                )

    def test_n195_n196_tokens_of_other_issuers(self):
        for path in PATHS:
            for token in FOREIGN_TOKENS:
                with self.subTest(path=path, token=token):
                    self.assertLegacyRecordsError(self.get(path, token=token), 401, 'invalid_token')

    def test_n197_n198_user_or_application_archived(self):
        self.application.active = False
        self.assertLegacyRecordsError(self.get(MODEL), 401, 'invalid_token')
        self.application.active = True
        self.user.active = False
        self.assertLegacyRecordsError(self.get(MODEL), 401, 'invalid_token')

    def test_n199_model_outside(self):
        for model in ('res.users', 'no.such.model', 'ir.config_parameter', 'base', '__class__'):
            for path, parameters in (
                (FIELD, {'names': ['name']}),
                (NAME_SEARCH, {}),
                (READ, {'ids': [1], 'fields': ['name']}),
            ):
                self.refuse(403, 'insufficient_scope', path, model=model, **parameters)
        self.application.model_scheme_id = False
        self.assertEqual(self.load(MODEL), [])
        self.refuse(403, 'insufficient_scope', NAME_SEARCH, model='res.partner')

    def test_n200_n201_field_outside(self):
        for name in ('email', 'vat', 'comment', 'signup_token'):
            if name in self.env['res.partner']._fields:
                self.refuse(403, 'insufficient_scope', FIELD, model='res.partner', names=[name])
                self.refuse(403, 'insufficient_scope', READ, model='res.partner', ids=self.ours.ids, fields=[name])
                self.refuse(403, 'insufficient_scope', NAME_SEARCH, model='res.partner', order=name)
        self.refuse(400, 'invalid_request', READ, model='res.partner', ids=[1], fields=['country_id.code'])
        self.refuse(400, 'invalid_request', NAME_SEARCH, model='res.partner', order='country_id.code')
        # The e-mail is hidden, but core would search by it.
        header, _data = self.load(NAME_SEARCH, model='res.partner', name='secret.example.com')
        self.assertEqual(header['header']['count'], 0)

    def test_n201_credentials_and_groups(self):
        """Even if the scheme has no limits."""
        self.application.model_scheme_id = self.env['orestapi.model.scheme'].create({
            'name': "All",
            'limit_models': 'none',
        })
        for name in ('password', 'totp_secret', 'api_key_ids', 'signature', 'image_1920', 'orestapi_revocation_count'):
            if name in self.env['res.users']._fields:
                self.refuse(403, 'insufficient_scope', READ, model='res.users', ids=self.user.ids, fields=[name])
                self.refuse(403, 'insufficient_scope', FIELD, model='res.users', names=[name])
                self.refuse(403, 'insufficient_scope', NAME_SEARCH, model='res.users', order=name)
        # A field for a group that the user is not in.
        self.refuse(403, 'insufficient_scope', READ, model='orestapi.application', ids=[1], fields=['client_id'])
        self.user.country_id = self.hungary
        _header, data = self.load(READ, model='res.users', ids=self.user.ids)
        self.assertEqual(data['data'][0]['login'], 'mitchell')
        self.assertFalse({'password', 'signature', 'api_key_ids', 'image_1920'} & set(data['data'][0]))

    def test_n202_record_outside(self):
        header, data = self.load(NAME_SEARCH, model='res.partner', name="Partner 3")
        self.assertEqual((header['header']['count'], data['data']), (0, []))
        _header, data = self.load(READ, model='res.partner', ids=self.partners.ids, fields=['name'])
        self.assertEqual([row['id'] for row in data['data']], self.ours.ids)

    def test_n203_context(self):
        _header, data = self.load(
            READ,
            model='res.partner',
            ids=self.german.ids,
            fields=['name'],
            context={'allowed_company_ids': [1]},
            sudo='1',
            lang='hu_HU',
            uid='1',
        )
        self.assertEqual(data['data'], [])
        # Odoo would pass them to the handler as arguments.
        self.assertEqual(self.get(f'{MODEL}?self=x&args=x').status_code, 200)

    @mute_logger('odoo.http')
    def test_n204_no_methods(self):
        for path in ('unlink', 'write', 'create', 'search', 'export_data', '__class__', 'read/sudo', 'read/1/unlink'):
            with self.subTest(path=path):
                self.assertEqual(self.get(f'/orestapi/record/{path}', model='res.partner', ids='[1]').status_code, 404)
        partner = {'model': 'res.partner'}
        for name in ('__class__', '_name', 'env', 'sudo', 'with_user', 'export_data', 'unlink', '_fields'):
            with self.subTest(name):
                self.refuse(400, 'invalid_request', FIELD, **partner, names=[name])
                self.refuse(400, 'invalid_request', READ, **partner, ids=self.ours.ids, fields=[name])
                self.refuse(400, 'invalid_request', NAME_SEARCH, **partner, order=name)
                self.refuse(403, 'insufficient_scope', READ, model=name, ids=[1])
        # A parameter that names a method is ignored.
        self.load(READ, **partner, ids=self.ours.ids, fields=['name'], call='unlink')
        self.assertEqual(self.ours.exists(), self.ours)

    def test_n205_n212_methods(self):
        before = self.ours[0].write_date
        for path in PATHS:
            for method in ('PUT', 'PATCH', 'DELETE'):
                with self.subTest(path=path, method=method):
                    response = self.get(path, method=method)
                    self.assertLegacyRecordsError(response, 405, 'invalid_request')
                    self.assertEqual(response.headers['Allow'], 'GET, HEAD, OPTIONS, POST')
        for method in ('GET', 'POST'):
            with self.subTest(method=method):
                response = self.get(
                    READ,
                    method=method,
                    headers={'X-HTTP-Method-Override': 'DELETE'},
                    model='res.partner',
                    ids=str(self.ours.ids),
                    fields='["name"]',
                    _method='DELETE',
                    vals='{"name": "x"}',
                )
                self.assertEqual(len(response.json()[1]['data']), 3)
        self.ours.invalidate_recordset()
        self.assertEqual(self.ours[0].write_date, before)

    def test_n206_n207_nonsense(self):
        partner = {'model': 'res.partner'}
        for path, parameters in (
            (FIELD, {}),
            (FIELD, partner),
            (NAME_SEARCH, {}),
            (READ, {}),
            (READ, partner),
            (FIELD, {**partner, 'names': 'name'}),
            (FIELD, {**partner, 'names': '{}'}),
            (FIELD, {**partner, 'names': [1]}),
            (FIELD, {**partner, 'names': ['no_such_field']}),
            (FIELD, {**partner, 'names': ['name'], 'data': ['compute']}),
            (FIELD, {**partner, 'names': ['name'], 'data': [['name']]}),
            *((NAME_SEARCH, {**partner, 'limit': limit}) for limit in ('-1', '0', '1001', '1000000000', 'abc', '1.5')),
            *((NAME_SEARCH, {**partner, 'offset': offset}) for offset in ('-1', 'x', '9999999999')),
            (NAME_SEARCH, {**partner, 'order': 'name; DROP TABLE res_partner'}),
            (NAME_SEARCH, {**partner, 'order': 'no_such_field'}),
            (NAME_SEARCH, {**partner, 'name': 'a\0b'}),
            *(
                (READ, {**partner, 'ids': ids})
                for ids in (
                    '1',
                    'x',
                    '["1"]',
                    '[true]',
                    '[1.5]',
                    '[0]',
                    '[-1]',
                    '[99999999999999]',
                    '[null]',
                    '[' * 5000,
                    '[' + '1' * 5000 + ']',
                    list(range(1, 1500)),
                )
            ),
            (READ, {**partner, 'ids': [1], 'fields': ['no_such_field']}),
            (READ, {**partner, 'ids': [1], 'fields': [{}]}),
        ):
            with self.subTest(path=path, parameters=str(parameters)[:80]):
                self.refuse(400, 'invalid_request', path, **parameters)
        self.assertLegacyRecordsError(
            self.get(f'{NAME_SEARCH}?model=res.partner&model=res.country'), 400, 'invalid_request'
        )

    def test_n206_long_lists(self):
        """A thousand ids and names fit into a form; for more, the error tells the limit."""
        partner = {'model': 'res.partner'}
        ids = [*self.ours.ids, *range(2_147_483_647 - 997, 2_147_483_647)]
        names = ['name', 'city', 'country_id'] * 333
        response = self.ask(READ, 'POST', **partner, ids=ids, fields=names)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual([row['id'] for row in response.json()[1]['data']], self.ours.ids)
        response = self.ask(READ, 'POST', **partner, ids=list(range(1, 100_001)))
        self.assertLegacyRecordsError(response, 400, 'invalid_request')
        self.assertIn("more than 1000 items", response.json()['orestapi_message'])
        response = self.ask(READ, 'POST', **partner, ids='[' + '1' * 1024 * 1024 + ']')
        self.assertLegacyRecordsError(response, 413, 'invalid_request')

    def test_n208_binaries(self):
        partner = {'model': 'res.partner', 'fields': ['image_128']}
        self.refuse(403, 'insufficient_scope', READ, **partner, ids=self.ours[:1].ids)
        configuration = self.scheme.configuration_ids.filtered(lambda record: record.model == 'res.partner')
        configuration.field_ids += self.env['ir.model.fields']._get('res.partner', 'image_128')
        self.ours[0].image_1920 = self.env.ref('base.main_partner').avatar_1920
        _header, data = self.load(READ, **partner, ids=self.ours[:2].ids)
        self.assertEqual([row['image_128'] for row in data['data']], [self.ours[0].image_128.decode(), False])
        values = [{'name': str(number), 'country_id': self.hungary.id} for number in range(11)]
        ids = self.env['res.partner'].create(values).ids
        self.refuse(400, 'invalid_request', READ, **partner, ids=ids)
        self.refuse(403, 'insufficient_scope', READ, model='ir.attachment', ids=[1], fields=['datas'])

    def test_n209_session_of_another_user(self):
        self.authenticate('ada', 'a password of at least 8')
        response = self.get(f'{READ}?{urlencode({"model": "res.partner", "ids": str(self.german.ids)})}')
        self.assertEqual(response.json()[1], {'data': []})
        self.assertNotIn('Set-Cookie', response.headers)

    def test_n210_no_cache(self):
        """No cache may keep a response or an error, whatever the status."""
        partner = {'model': 'res.partner', 'ids': str(self.ours.ids), 'names': '["name"]'}
        for path in PATHS:
            for case, response in enumerate((
                self.get(path, **partner),
                self.get(path),
                self.get(path, token=None),
                self.get(path, token='x'),
                self.get(path, model='no.such.model', ids='[1]', names='[]'),
            )):
                with self.subTest(path=path, case=case):
                    self.assertEqual(response.headers['Cache-Control'], 'no-store, private', response.text)
                    self.assertNotIn('ETag', response.headers)

    def test_n211_origin(self):
        response = self.get(MODEL, headers={'Origin': 'https://evil.example'})
        self.assertNotIn('Access-Control-Allow-Origin', response.headers)
