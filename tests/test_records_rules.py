import json
from datetime import date, datetime
from unittest.mock import patch

import psycopg2.errors

from odoo import Command
from odoo.exceptions import AccessError, ConcurrencyError, ValidationError
from odoo.tests import tagged

from ..records import ordering, parameters
from .common import PASSWORD
from .test_records import PARTNER_FIELDS, RECORDS, RecordsCase

OPENAPI = '/orestapi/1/openapi.json'


class RecordRulesCase(RecordsCase):
    def offer_all(self):
        self.application.model_scheme_id = self.env['orestapi.model.scheme'].create({
            'name': "All",
            'limit_models': 'none',
        })

    def offer_fields(self, *names, model='res.partner'):
        configuration = self.scheme.configuration_ids.filtered(lambda found: found.model == model)
        for name in names:
            configuration.field_ids += self.env['ir.model.fields']._get(model, name)

    def add_field(self, name, ttype='char', model='res.partner', **values):
        self.env['ir.model.fields'].create({
            'name': name,
            'ttype': ttype,
            'model_id': self.env['ir.model']._get_id(model),
            'state': 'manual',
            **values,
        })
        self.offer_fields(name, model=model)


@tagged('post_install', '-at_install')
class TestRecordsDates(RecordRulesCase):
    """R1, R7: days and moments are never silently shifted or cut off."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user.tz = 'Europe/Budapest'  # an hour before UTC in winter
        for number, moment in enumerate((
            '2026-11-24 22:59:59',
            '2026-11-24 23:00:00',
            '2026-11-25 12:00:00.7',
            '2026-11-25 23:00:00',
        )):
            cls.env.cr.execute(
                "UPDATE res_partner SET create_date = %s WHERE id = %s", [moment, cls.partners[number].id]
            )
        cls.partners.invalidate_recordset()
        cls.partners[2].country_id = cls.hungary  # nobody hides it here

    def find_as_odoo(self, operator, value):
        partners = self.env['res.partner'].with_user(self.user).with_context(tz=self.user.tz)
        return partners.search([('create_date', operator, value), ('id', 'in', self.partners.ids)], order='id')

    def test_r01_moments(self):
        for operator, symbol in (('eq', '='), ('ne', '!='), ('gt', '>'), ('ge', '>='), ('lt', '<'), ('le', '<=')):
            for text in ('2026-11-24T23:00:00', '2026-11-25T12:00:00', '2026-11-25T12:00:01'):
                moment = datetime.fromisoformat(text)
                expected = self.find_as_odoo(symbol, moment)
                here = datetime.fromisoformat(f'{text}+00:00')
                for written in (
                    moment.isoformat() + 'Z',
                    moment.isoformat(),
                    moment.isoformat() + '.000Z',
                    here.astimezone(datetime.fromisoformat('2026-01-01T00:00:00+05:30').tzinfo).isoformat(),
                ):
                    with self.subTest(operator=operator, written=written):
                        self.assertEqual(self.find(filter=f'create_date {operator} "{written}"'), expected)

    def test_r01_days_of_moments(self):
        """`le` includes the whole day, `gt` begins after it, and it is the day of the user."""
        for operator, symbol in (('gt', '>'), ('ge', '>='), ('lt', '<'), ('le', '<=')):
            with self.subTest(operator):
                expected = self.find_as_odoo(symbol, date(2026, 11, 25))
                self.assertEqual(self.find(filter=f'create_date {operator} "2026-11-25"'), expected)
        self.assertEqual(self.find(filter='create_date le "2026-11-25"'), self.partners[:3])
        self.assertEqual(self.find(filter='create_date gt "2026-11-25"'), self.partners[3])
        self.assertEqual(self.find(filter='create_date ge "2026-11-25"'), self.partners[1:])

    def assertSentence(self, words, **parameters):
        response = self.get(RECORDS, **parameters)
        self.assertProblem(response, 400, 'invalid_request')
        self.assertIn(words, response.json()['detail'])

    def test_r01_refused(self):
        for operator in ('eq', 'ne'):
            with self.subTest(operator=operator):
                self.assertSentence("is a date and time", filter=f'create_date {operator} "2026-11-25"')
        for operator in ('eq', 'ne', 'gt', 'ge', 'lt', 'le'):
            with self.subTest(operator=operator):
                self.assertSentence("whole seconds", filter=f'create_date {operator} "2026-11-25T12:00:00.5Z"')
                self.assertSentence("Write a day as", filter=f'create_date {operator} "20261125"')
        # An unencoded plus sign is a space.
        self.assertSentence("%2B", filter='create_date gt "2026-11-25T10:00:00 02:00"')

    def test_r01_days(self):
        self.add_field('x_day', 'date')
        for partner, day in zip(self.partners, ('2025-01-01', '2025-01-02', '2025-01-03', False), strict=True):
            partner['x_day'] = day
        for operator, symbol in (('eq', '='), ('ne', '!='), ('gt', '>'), ('ge', '>='), ('lt', '<'), ('le', '<=')):
            with self.subTest(operator):
                expected = self.env['res.partner'].search(
                    [('x_day', symbol, '2025-01-02'), ('id', 'in', self.partners.ids)], order='id'
                )
                self.assertEqual(self.find(filter=f'x_day {operator} "2025-01-02"'), expected)
                for moment in ('2025-01-02T05:00:00Z', '2025-01-02T00:00:00Z', '2025-01-02T00:00:00+02:00'):
                    self.assertSentence("is a date:", filter=f'x_day {operator} "{moment}"')

    def test_r01_in_openapi(self):
        text = json.dumps(self.get(OPENAPI).json())
        for words in ("whole seconds", "`le` includes the whole day", "time zone of the user", "%2B02:00", "archived"):
            with self.subTest(words=words):
                self.assertIn(words, text)

    def test_r07_moments_in_properties(self):
        self.env['properties.base.definition']._get_definition_for_property_field('res.partner', 'properties')
        self.offer_fields('properties')
        definition = self.partners[0].properties_base_definition_id
        definition.properties_definition = [
            {'name': 'moment', 'string': "Moment", 'type': 'datetime', 'default': '2026-01-01 00:00:00'},
            {'name': 'day', 'string': "Day", 'type': 'date'},
            {'name': 'flag', 'string': "Flag", 'type': 'boolean'},
            {'name': 'words', 'string': "Words", 'type': 'char'},
            {'name': 'number', 'string': "Number", 'type': 'integer'},
            {'name': 'country', 'string': "Country", 'type': 'many2one', 'comodel': 'res.country'},
            {'name': 'tags', 'string': "Tags", 'type': 'tags', 'tags': [['a', "A", 1]]},
        ]
        self.partners[0].properties = {
            'moment': '2026-03-29 01:30:00',
            'day': '2026-03-29',
            'flag': True,
            'words': "x",
            'number': 7,
            'country': self.hungary.id,
            'tags': ['a'],
        }
        self.partners[1].properties = {'moment': False, 'words': False, 'country': False, 'flag': False}

        def read(partner):
            response = self.get(f'{RECORDS}/{partner.id}', fields='properties')
            self.assertEqual(response.status_code, 200, response.text)
            properties = response.json()['fields']['properties']
            return {property_['name']: property_ for property_ in properties}

        full, empty = read(self.partners[0]), read(self.partners[1])
        self.assertEqual(full['moment']['value'], '2026-03-29T01:30:00Z')
        self.assertEqual(full['moment']['default'], '2026-01-01T00:00:00Z')
        self.assertEqual(
            {name: property_['value'] for name, property_ in full.items() if name != 'moment'},
            {
                'day': '2026-03-29',
                'flag': True,
                'words': "x",
                'number': 7,
                'country': [self.hungary.id, "Hungary"],
                'tags': ['a'],
            },
        )
        self.assertIs(empty['flag']['value'], False)
        self.assertEqual(empty['tags']['value'], [])
        for name in ('moment', 'day', 'words', 'country'):
            with self.subTest(name=name):
                self.assertIsNone(empty[name]['value'], name)


@tagged('post_install', '-at_install')
class TestRecordsRules(RecordRulesCase):
    """Language, cursors, names, archived records, and fields with search methods."""

    def test_r02_language(self):
        for code in ('zh_CN', 'zh_TW', 'en_GB', 'sr@latin', 'de_DE'):
            self.env['res.lang']._activate_lang(code)
        self.user.lang = 'de_DE'
        for header, tag in (
            ('zh-tw', 'zh-TW'),
            ('zh-Hant', 'zh-TW'),
            ('zh', 'zh-CN'),
            ('en-us', 'en-US'),
            ('en', 'en-US'),
            ('sr-Latn-RS', 'sr-Latn'),
            ('sr', 'sr-Latn'),
            ('fr;q=0.9, en-GB;q=0.1', 'en-GB'),
            ('*', 'de-DE'),
            ('fr', 'de-DE'),
            (None, 'de-DE'),
        ):
            with self.subTest(header):
                response = self.get(RECORDS, headers=header and {'Accept-Language': header})
                self.assertEqual(response.headers['Content-Language'], tag)

    def test_r02_language_of_pages(self):
        """The same rule, before the login; after it, the language of the user."""
        for code in ('zh_CN', 'zh_TW', 'sr@latin'):
            self.env['res.lang']._activate_lang(code)
        for header, tag in (('zh-tw', 'zh-TW'), ('SR', 'sr-Latn'), ('en-us', 'en-US')):
            with self.subTest(header):
                page = self.authorize({'client_id': 'nobody'}, headers={'Accept-Language': header})
                self.assertEqual(page.headers['Content-Language'], tag)
                self.assertIn(f'lang="{tag}"', page.text)
        self.user.lang = 'sr@latin'
        self.authenticate(self.user.login, PASSWORD)
        for path in ('/orestapi/1/docs', '/oauth2/applications'):
            with self.subTest(path=path):
                page = self.url_open(path, headers={'Accept-Language': 'zh-TW'})
                self.assertEqual(page.headers['Content-Language'], 'sr-Latn')
                self.assertIn('lang="sr-Latn"', page.text)

    def walk(self, **search):
        """Return the ids of all pages of a search, one record each."""
        found, cursor = [], None
        for _page in range(20):
            page = self.search(limit=1, **search, **({'cursor': cursor} if cursor else {}))
            found += [record['id'] for record in page['records']]
            cursor = page['next_cursor']
            if not cursor:
                return found
            self.assertLessEqual(len(cursor), ordering.MAX_CURSOR)
        return self.fail("There is no end.")

    def test_r03_long_values(self):
        """Every cursor that is issued is accepted."""
        self.add_field('x_text', 'text')
        partners = self.partners - self.german
        for name in ('city', 'x_text'):
            for texts in (
                ['a' * 60_000, 'a' * 60_000 + 'b', 'b'],
                ['ű€😀\x01"' * 20_000, 'short', False],
                ['x' * (ordering.PREFIX_LENGTH - 1), 'x' * ordering.PREFIX_LENGTH, 'x' * (ordering.PREFIX_LENGTH + 1)],
            ):
                for partner, text in zip(partners, texts, strict=True):
                    partner[name] = text
                ids = ','.join(map(str, partners.ids))
                for written in (name, f'-{name}', f'name,-{name}', f'{name},display_name,create_date,color,-id'):
                    with self.subTest(order=written, text=texts[0][:1]):
                        self.assertCountEqual(self.walk(order=written, ids=ids), partners.ids)

    def test_r03_special_numbers(self):
        values = (float('nan'), float('inf'), float('-inf'), 5e-324, 1.7976931348623157e308, 0.1 + 0.2, -0.0)
        partners = self.env['res.partner'].create([
            {'name': str(value), 'country_id': self.hungary.id} for value in values
        ])
        self.add_field('x_float', 'float')
        for partner, value in zip(partners, values, strict=True):
            self.env.cr.execute(
                "UPDATE res_partner SET x_float = %s::float8, color = %s WHERE id = %s",
                [repr(value), 2**31 - 1, partner.id],
            )
        ids = ','.join(map(str, partners.ids))
        for name in ('x_float', '-x_float', 'color,x_float', '-partner_latitude,color'):
            with self.subTest(name):
                self.assertCountEqual(self.walk(order=name, ids=ids), partners.ids)

    def test_r03_long_requests(self):
        """A request without room for the cursor is refused at once, not at the second page."""
        filter_ = 'name co "é" or name co "e"' + ' or name co "é"' * 40
        padding = 'name ne "' + '€' * (parameters.MAX_QUERY // 9) + '"'
        response = self.get(RECORDS, filter=filter_, limit=1)
        self.assertEqual(response.status_code, 200, response.text)
        for parameter in ({'search': '€' * 7000}, {'order': 'x' * 60_000}, {'filter': padding}):
            with self.subTest(parameter=parameter):
                response = self.get(RECORDS, **parameter)
                self.assertProblem(response, 400, 'invalid_request')

    def test_s13_cursor_of_another_user_or_application(self):
        ids = ','.join(map(str, self.partners.ids))
        cursor = self.search(ids=ids, limit=1)['next_cursor']
        self.other.model_scheme_id = self.scheme
        colleague = self.env['res.users'].create({'name': "C", 'login': 'colleague', 'password': PASSWORD})
        for case, token in enumerate((
            self.sign_in(self.other, scope='read'),
            self.sign_in(user=colleague, scope='read'),
        )):
            with self.subTest(case=case):
                response = self.get(RECORDS, token=token['access_token'], ids=ids, limit=1, cursor=cursor)
                self.assertProblem(response, 400, 'invalid_request')
        self.assertEqual(self.search(ids=ids, limit=1, cursor=cursor)['records'][0]['id'], self.ours[1].id)

    def test_s13_length_of_a_search(self):
        self.assertEqual(self.get(RECORDS, search='x' * parameters.MAX_SEARCH).status_code, 200)
        self.assertQueryInvalid(search='x' * (parameters.MAX_SEARCH + 1))

    def test_s13_openapi_is_kept(self):
        record = self.env.registry['orestapi.record']
        first = self.get(OPENAPI)
        with patch.object(record, '_get_fields', side_effect=AssertionError):
            again = self.get(OPENAPI)
        self.assertEqual(again.json(), first.json())
        self.assertEqual(again.headers['Cache-Control'], 'private, no-cache')
        self.assertIn('Authorization', again.headers['Vary'])
        tag = first.headers['ETag']
        unchanged = self.get(OPENAPI, headers={'If-None-Match': tag})
        self.assertEqual((unchanged.status_code, unchanged.content), (304, b''))
        plain = self.get(OPENAPI, headers={'Accept-Encoding': 'identity'})
        self.assertNotIn('Content-Encoding', plain.headers)
        self.assertEqual((plain.json(), plain.headers['ETag']), (first.json(), tag))
        # Each of its sources changes it.
        self.env['ir.model']._get('res.country').name = "Lands"
        self.scheme.configuration_ids.filtered(lambda found: found.model == 'res.country').name = "Lands"
        renamed = self.get(OPENAPI, headers={'If-None-Match': tag})
        self.assertEqual(renamed.status_code, 200)
        self.assertIn("Lands", renamed.text)
        self.offer_fields('email')
        self.assertIn('email', self.get(OPENAPI).json()['components']['schemas']['res.partner.fields']['properties'])
        self.env.ref('base.model_res_partner').access_ids.write({'perm_read': False})
        self.assertNotIn('res.partner.fields', self.get(OPENAPI).json()['components']['schemas'])

    def test_s13_headers_of_the_documentation(self):
        self.authenticate(self.user.login, PASSWORD)
        page = self.url_open('/orestapi/1/docs')
        self.assertEqual(page.status_code, 200)
        self.assertEqual(page.headers['X-Frame-Options'], 'DENY')
        self.assertEqual(page.headers['Cache-Control'], 'no-store')
        self.assertIn("frame-ancestors 'none'", page.headers['Content-Security-Policy'])

    def test_r04_one_rule_for_names(self):
        for name in ('x_MixedCase', 'x_studio_Field_1', 'x_price$'):
            self.add_field(name)
            self.partners[0][name], self.partners[1][name], self.partners[3][name] = "b", "a", "c"
            with self.subTest(name):
                document = self.get(OPENAPI).json()
                self.assertIn(name, document['components']['schemas']['res.partner.fields']['properties'])
                self.assertEqual(self.find(order=name), self.partners[1] + self.partners[0] + self.partners[3])
                self.assertEqual(self.find(filter=f'{name} eq "b"'), self.partners[0])
                self.assertEqual(self.search(fields=name, limit=1)['records'][0]['fields'].keys(), {name})
                answer = self.post(
                    '/orestapi/record/name_search',
                    {'model': 'res.partner', 'order': f'{name} desc'},
                    headers={'Authorization': f'Bearer {self.token}'},
                )
                self.assertEqual(answer.status_code, 200, answer.text)

    def test_r06_archived_records(self):
        """Archived records can be read by id, and are found only by searches that ask for them."""
        active, archived = self.partners[0], self.partners[1]
        archived.active = False
        self.offer_fields('parent_id', 'child_ids')
        ids = f'{active.id},{archived.id}'
        self.assertEqual(self.get(f'{RECORDS}/{archived.id}').status_code, 200)
        self.assertEqual(self.find(ids=ids), active + archived)
        self.assertEqual(self.search(ids=ids, count='true')['count'], 2)
        self.assertEqual(self.find(ids=ids, filter='name sw "Partner"', order='-id'), archived + active)
        self.assertEqual(self.walk(ids=ids, filter='name sw "Partner"'), [active.id, archived.id])
        among_all = {'filter': f'id eq {active.id} or id eq {archived.id}'}
        self.assertEqual([record['id'] for record in self.search(**among_all)['records']], [active.id])
        self.assertFalse(self.search(search=archived.name)['records'])
        asked = self.search(filter=f'id eq {archived.id} and active eq false')
        self.assertEqual([record['id'] for record in asked['records']], [archived.id])
        # A relation shows an archived record where Odoo does, and a filter finds what the relation shows.
        active.parent_id = archived
        answer = self.get(f'{RECORDS}/{active.id}', fields='parent_id').json()['fields']['parent_id']
        self.assertEqual(answer[0], archived.id)
        for text in (f'parent_id eq {archived.id}', 'parent_id.name eq "Partner 2"'):
            with self.subTest(text=text):
                self.assertEqual(self.find(ids=active.id, filter=text), active, text)
        active.parent_id = False
        archived.parent_id = active
        self.assertEqual(self.get(f'{RECORDS}/{active.id}', fields='child_ids').json()['fields']['child_ids'], [])
        for text in (f'child_ids eq {archived.id}', 'child_ids pr', 'child_ids.name eq "Partner 2"'):
            with self.subTest(text=text):
                self.assertFalse(self.find(ids=active.id, filter=text), text)
        described = json.dumps(self.get(OPENAPI).json())
        self.assertIn("archived", described)

    def fail_with(self, error):
        """Let the search of a field of partners raise an error, and ask for it."""
        field = self.env['res.partner']._fields['city']
        with (
            patch.object(field, 'search', 'unused'),
            patch.object(type(field), 'determine_domain', side_effect=error),
        ):
            return self.get(RECORDS, filter='city eq "x"')

    def test_r08_any_failure_of_a_search(self):
        for error in (
            ValueError("a secret"),
            TypeError,
            AttributeError,
            KeyError('x'),
            AssertionError,
            NotImplementedError,
            ZeroDivisionError,
            RecursionError,
            OverflowError,
            ValidationError("x"),
            psycopg2.errors.UndefinedFunction(),
            psycopg2.errors.NumericValueOutOfRange(),
            psycopg2.errors.InFailedSqlTransaction(),
        ):
            with self.subTest(error):
                response = self.fail_with(error)
                self.assertProblem(response, 400, 'invalid_request')
                self.assertNotIn("secret", response.text)
        self.assertProblem(self.fail_with(AccessError("x")), 403, 'not_offered', challenge=False)
        self.assertEqual(self.find(), self.ours)

    def test_r08_the_transaction_is_usable_afterwards(self):
        """After an error within a search, PostgreSQL refuses everything until the transaction ends."""

        def search(*args):
            self.env.cr.execute("SELECT 'x'::int")

        response = self.fail_with(search)
        self.assertProblem(response, 400, 'invalid_request')
        self.assertEqual(self.find(), self.ours)

    def test_r08_what_is_no_error_of_the_request(self):
        """Odoo runs the request again, or says that the server cannot."""
        calls = []

        def fail_once(*args):
            calls.append(args)
            if len(calls) == 1:
                raise ConcurrencyError
            return [('id', '=', self.partners[0].id)]

        with patch('odoo.service.model.time.sleep'):
            response = self.fail_with(fail_once)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(len(calls), 2)

    def test_r08_a_value_that_cannot_be_read(self):
        self.add_field(
            'x_broken',
            'integer',
            store=False,
            depends='name',
            compute="for record in self:\n    record['x_broken'] = 1 // len('')",
        )
        for path in (f'{RECORDS}/{self.partners[0].id}', RECORDS):
            with self.subTest(path=path):
                self.assertProblem(self.get(path, fields='x_broken'), 400, 'invalid_request')

    def test_r09_the_limit_covers_searches_within_the_search(self):
        """The limit is set before everything else in the request."""

        def search(*args):
            self.env.cr.execute("SELECT pg_sleep(5)")

        with patch('odoo.addons.orestapi.models.orestapi_record_search.TIMEOUT', 1000):
            response = self.fail_with(search)
        self.assertProblem(response, 400, 'invalid_request')
        self.assertIn("takes too long", response.json()['detail'])
        self.assertEqual(self.get(RECORDS, limit='1').status_code, 200)

    def test_p10_what_is_not_offered_asks_for_no_other_token(self):
        for case, response in enumerate((
            self.get('/orestapi/1/records/res.users'),
            self.get(RECORDS, fields='vat'),
            self.get(RECORDS, filter='vat pr'),
            self.get(RECORDS, order='vat'),
            self.get(RECORDS, filter='user_ids.login pr'),
        )):
            with self.subTest(case=case):
                self.assertProblem(response, 403, 'not_offered', challenge=False)
        response = self.get(RECORDS, token=self.sign_in(scope='rpc')['access_token'])
        self.assertProblem(response, 403, 'insufficient_scope')
        self.assertIn('scope="read"', response.headers['WWW-Authenticate'])

    def test_s10_credentials(self):
        """Also under the names of addons that are not installed here, and in capitals."""
        self.offer_all()
        self.user.group_ids += self.env.ref('base.group_system')
        names = (
            'x_aps_sha_request', 'x_l10n_sa_production_csid_json', 'x_session_identifier', 'x_l10n_pl_edi_session_id',
            'x_aps_access_code', 'x_google_gmail_uri', 'x_microsoft_outlook_uri', 'x_ApiKey', 'x_Password',
            'x_survey_session_code', 'x_nemhandel_verification_code', 'x_login_code', 'x_mfa_backup', 'x_private_pem',
            'x_magic_link', 'x_signup_url', 'x_connection_string',
        )  # fmt: skip
        for name in names:
            self.add_field(name)
        self.add_field('x_number_of_settings')
        self.add_field('x_session_id', 'many2one', relation='res.country')
        field = self.env['res.partner']._fields['x_number_of_settings']
        self.startPatcher(patch.object(field, 'groups', 'base.group_system, base.group_erp_manager'))
        self.env.registry.clear_cache()
        told = self.get('/orestapi/1/models/res.partner').json()['fields']
        self.assertFalse({*names, 'x_number_of_settings'} & set(told))
        self.assertIn('x_session_id', told)
        self.assertNotIn('session_identifier', self.get('/orestapi/1/models/res.device').json().get('fields', {}))


@tagged('post_install', '-at_install')
class TestRecordsComputedTexts(RecordRulesCase):
    """S7: no text repeats excluded data."""

    def exclude(self, models=(), **fields_):
        self.application.model_scheme_id = self.env['orestapi.model.scheme'].create({
            'name': "Excludes",
            'limit_models': 'blacklist' if models else 'none',
            'model_ids': [self.env['ir.model']._get_id(model) for model in models],
            'configuration_ids': [
                Command.create({
                    'name': model,
                    'model_id': self.env['ir.model']._get_id(model.replace('__', '.')),
                    'limit_fields': 'blacklist',
                    'field_ids': [
                        self.env['ir.model.fields']._get(model.replace('__', '.'), name).id for name in names
                    ],
                })
                for model, names in fields_.items()
            ],
        })

    def get_told(self, model):
        return self.get(f'/orestapi/1/models/{model}').json().get('fields', {})

    def test_s07_nothing_is_excluded(self):
        self.offer_all()
        self.assertIn('res_name', self.get_told('ir.attachment'))
        self.assertIn('street', self.get_told('res.company'))

    def assertTextLeftOut(self, model, *names):
        told = self.get_told(model)
        for name in names:
            with self.subTest(f'{model}.{name}'):
                self.assertNotIn(name, told)
                for changes in ({'fields': name}, {'filter': f'{name} co "x"'}, {'order': name}):
                    response = self.get(f'/orestapi/1/records/{model}', **changes)
                    self.assertProblem(response, 403, 'not_offered', challenge=False)

    def test_s07_opaque_dependency(self):
        """The name of a document of any model."""
        attachment = self.env['ir.attachment'].create({
            'name': "A file",
            'res_model': 'res.partner',
            'res_id': self.partners[0].id,
        })
        self.exclude(res__partner=['name', 'complete_name'])
        self.assertTextLeftOut('ir.attachment', 'res_name')
        text = self.get(f'/orestapi/1/records/ir.attachment/{attachment.id}').text
        self.assertIn("A file", text)
        self.assertNotIn("Partner 1", text)

    def test_s07_whole_model(self):
        self.env.company.street = "A hidden street"
        self.exclude(models=['res.partner'])
        self.assertTextLeftOut('res.company', 'street', 'city', 'zip', 'email', 'phone')
        self.assertNotIn("hidden street", self.get('/orestapi/1/records/res.company/1').text)

    def test_s07_end_in_a_relation(self):
        """The dependency does not tell which fields are read."""
        self.add_field(
            'x_label',
            store=False,
            depends='country_id',
            compute="for record in self:\n    record['x_label'] = record.country_id.phone_code",
        )
        self.exclude(res__country=['phone_code'])
        self.assertTextLeftOut('res.partner', 'x_label')
        self.exclude(res__currency=['symbol'])
        self.assertIn('x_label', self.get_told('res.partner'))

    def test_s07_nothing_declared(self):
        self.add_field(
            'x_label',
            store=False,
            compute="for record in self:\n    record['x_label'] = record.comment",
        )
        self.exclude(res__country=['phone_code'])
        self.assertTextLeftOut('res.partner', 'x_label')
        self.offer_all()
        self.assertIn('x_label', self.get_told('res.partner'))

    def test_s07_copies(self):
        """Fields in which Odoo or this addon stores copies of any other fields."""
        self.user.group_ids += self.env.ref('orestapi.group_administrator')
        self.offer_all()
        told = (
            'actor_name',
            'application_name',
            'detail',
            'display_name',
            'message',
            'new_value',
            'old_value',
            'user_name',
        )
        self.assertLessEqual(set(told), set(self.get_told('orestapi.event')))
        self.exclude(res__users=['name'])
        self.assertTextLeftOut('orestapi.event', *told)
        self.assertIn('address', self.get_told('orestapi.event'))
        # The sentence of an event names all of its texts.
        fields = self.env['orestapi.event']._fields.values()
        texts = {field.name for field in fields if field.type == 'char' and field.store} - {'network', 'reference'}
        self.assertLessEqual(texts, set(self.registry.field_depends[self.env['orestapi.event']._fields['message']]))
        if 'mail.tracking.value' in self.env:
            self.assertNotIn('old_value_char', self.get_told('mail.tracking.value'))

    def test_s07_field_that_is_only_searched(self):
        """Such a field has no value, and its search may use any field."""
        self.add_field('x_any')
        self.exclude(res__country=['phone_code'])
        field = self.env['res.partner']._fields['x_any']
        self.assertIn('x_any', self.get_told('res.partner'))
        with patch.object(field, 'search', '_search_any'), patch.object(field, 'store', False):
            self.env.registry.clear_cache()
            self.assertTextLeftOut('res.partner', 'x_any')

    def test_s07_view_of_other_tables(self):
        self.user.group_ids += self.env.ref('base.group_system')
        self.exclude(res__country=['phone_code'])
        self.assertIn('browser', self.get_told('res.device'))
        self.exclude(models=['res.device.log'])
        self.assertTextLeftOut('res.device', 'browser')

    def test_s07_names_of_records_stay(self):
        """Also for models without a name, and for texts that declare more than they show."""
        self.exclude(res__country=['phone_code'])
        for model in ('res.partner', 'res.users', 'res.country', 'res.currency', 'res.company', 'res.groups'):
            with self.subTest(model=model):
                self.assertIn('display_name', self.get_told(model), model)
        self.assertIn('country_id', self.get_told('res.partner'))

    def test_s07_listed_by_name(self):
        self.offer_fields('contact_address')
        self.assertIn('contact_address', self.get_told('res.partner'))
        self.assertEqual(set(self.get_told('res.partner')), {'id', 'contact_address', *PARTNER_FIELDS})
