import ast
import base64
import re
from datetime import timedelta
from pathlib import Path

import polib  # which Odoo itself uses too
from lxml import etree, html

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.modules import get_module_path
from odoo.tests import TransactionCase, tagged
from odoo.tools.safe_eval import safe_eval

from .common import PASSWORD, OAuth2Case

#: The models of this addon that can be archived.
ARCHIVABLE = ('orestapi.application', 'orestapi.model.scheme', 'orestapi.model.configuration')

PAGE = '/oauth2/applications'
DOCUMENTATION = '/orestapi/1/docs'


@tagged('post_install', '-at_install')
class TestScreens(OAuth2Case):
    """The screens, each as its users see it."""

    def get_arch(self, model, view_type, user=None):
        view = self.env[model].with_user(user or self.administrator).get_view(view_type=view_type)
        return etree.fromstring(view['arch'])

    # A1: the place of the model scheme

    def test_a01_model_scheme_on_general(self):
        arch = self.get_arch('orestapi.application', 'form')
        for name in ('client_id', 'client_secret', 'own_id', 'own_secret', 'model_scheme_id', 'description'):
            with self.subTest(name):
                self.assertTrue(arch.xpath(f"//page[@name='general']//field[@name='{name}']"))
                self.assertFalse(arch.xpath(f"//page[@name='settings']//field[@name='{name}'][not(ancestor::list)]"))
        label = self.env['orestapi.application'].fields_get(['model_scheme_id'], ['string'])
        self.assertEqual(label['model_scheme_id']['string'], "Model Scheme")

    def test_a01_sentences_name_the_right_tab(self):
        self.application.model_scheme_id = False
        self.assertIn("model scheme", self.application.status_message)
        self.assertNotIn("Settings", self.application.status_message)

    # A2: archived records

    def get_archived_pair(self, model):
        """Return an active record of the model and an archived one."""
        values = [{'name': "Active one"}, {'name': "Archived one", 'active': False}]
        if model == 'orestapi.model.configuration':
            for value in values:
                value['model_id'] = self.env.ref('base.model_res_country').id
        return self.env[model].create(values)

    def test_a02_archived_records_as_everywhere_in_odoo(self):
        self.assertEqual(
            {name for name, model in self.env.items() if name.startswith('orestapi.') and model._active_name},
            set(ARCHIVABLE),
        )
        for model in ARCHIVABLE:
            with self.subTest(model=model):
                active, archived = self.get_archived_pair(model)
                search = self.get_arch(model, 'search')
                [inactive] = search.xpath("//filter[@name='inactive']/@domain")
                self.assertEqual(search.xpath("//filter[@name='inactive']/@string"), ["Inactive"])
                for action in self.env['ir.actions.act_window'].search([('res_model', '=', model)]):
                    context = safe_eval(action.context)
                    with self.subTest(action.name, model=model):
                        self.assertFalse([
                            name for name in context if name.startswith(('search_default', 'active_test'))
                        ])
                        records = self.env[model].with_user(self.administrator).with_context(**context)
                        for domain, expected in (
                            ([], active),
                            (safe_eval(inactive), archived),
                            ([('active', '=', False)], archived),  # *Active is not set* of a custom filter
                            ([('active', '!=', True)], archived),
                            ([('active', 'in', [True, False])], active + archived),
                        ):
                            found = records.search([*domain, ('id', 'in', (active + archived).ids)])
                            self.assertEqual(found, expected, domain)

    def test_a02_buttons_open_what_they_count(self):
        scheme = self.env['orestapi.model.scheme'].create({'name': "Shared"})
        (self.application + self.other).model_scheme_id = scheme
        self.other.active = False
        configuration = self.env['orestapi.model.configuration'].create({
            'name': "Countries",
            'model_id': self.env.ref('base.model_res_country').id,
            'scheme_ids': [Command.set(scheme.ids)],
        })
        scheme.active = False
        for record, action, count in (
            (scheme, scheme.action_open_applications(), scheme.application_count),
            (configuration, configuration.action_open_schemes(), configuration.scheme_count),
        ):
            with self.subTest(record.name):
                context = action['context']
                self.assertNotIn('active_test', context)
                search = self.get_arch(action['res_model'], 'search')
                # Filters beside each other are joined by *or*.
                names = [name.removeprefix('search_default_') for name in context if name.startswith('search_default')]
                filters = [safe_eval(search.xpath(f"//filter[@name='{name}']/@domain")[0]) for name in names]
                domain = ['|', *filters[0], *filters[1], *action['domain']]
                self.assertEqual(self.env[action['res_model']].search_count(domain), count)

    def test_a02_empty_lists_say_what_is_true_with_a_filter_on(self):
        actions = self.env['ir.actions.act_window'].search([('res_model', '=like', 'orestapi.%')])
        for action in actions.filtered('help'):
            with self.subTest(action.name):
                # Odoo also shows the help if a filter excludes all records.
                [title] = html.fromstring(action.help).xpath("//p[@class='o_view_nocontent_smiling_face']/text()")
                self.assertNotRegex(title, r"(?i)\b(first|yet|nobody)\b")

    # A3: pictures

    def test_a03_logos_as_employee(self):
        self.application.logo = base64.b64encode(Path(get_module_path('orestapi'), 'demo', 'wiki.png').read_bytes())
        self.authenticate(self.user.login, PASSWORD)
        for application in (self.application, self.other):
            for name in ('avatar', 'logo'):
                expected = base64.b64decode(application[name] or b'')
                if not expected:
                    continue
                with self.subTest(application.name, field=name):
                    response = self.url_open(f'/web/image/orestapi.application/{application.id}/{name}')
                    self.assertEqual(response.content, expected)

    # The menu

    def test_menu_has_four_entries(self):
        visible = self.env['ir.ui.menu'].with_user(self.administrator)._visible_menu_ids()
        root = self.env.ref('orestapi.orestapi_menu_root')
        entries = root.child_id.filtered(lambda menu: menu.id in visible)
        self.assertEqual(entries.mapped('name'), ["Applications", "Access", "Events", "Configuration"])

    # A6: settings of the role

    def test_a06_settings_of_the_role(self):
        settings = self.env['orestapi.settings'].with_user(self.administrator)
        menu = self.env.ref('orestapi.orestapi_settings_menu')
        # Not `search`, which also finds menus of other groups.
        self.assertIn(menu.id, self.env['ir.ui.menu'].with_user(self.administrator)._visible_menu_ids())
        self.assertEqual(menu.parent_id.parent_id, self.env.ref('orestapi.orestapi_menu_root'))
        parameters = self.env['ir.config_parameter']
        self.assertEqual(settings.create({}).issuer, 'https://odoo.example.com')
        settings.create({
            'issuer': 'https://other.example.com', 'event_retention': 30, 'mail_administrators': False,
        }).execute()  # fmt: skip
        self.assertEqual(self.env['orestapi.server']._get_issuer(), 'https://other.example.com')
        self.assertEqual(parameters.get_param('orestapi.event_retention'), '30')
        self.assertFalse(parameters.get_param('orestapi.mail_administrators'))
        shown = settings.create({})
        self.assertEqual((shown.event_retention, shown.mail_administrators), (30, False))
        # Odoo's own settings show the same values.
        self.assertEqual(self.env['res.config.settings'].create({}).orestapi_event_retention, 30)
        shown.mail_administrators = True
        shown.execute()
        self.assertTrue(settings.create({}).mail_administrators)
        self.application.require_pkce = False
        self.assertIn(self.application, settings.create({}).deviating_application_ids)

    def test_a06_wrong_values(self):
        settings = self.env['orestapi.settings'].with_user(self.administrator)
        for values in (
            {'issuer': 'odoo.example.com'},
            {'issuer': 'https://odoo.example.com/path'},
            {'event_retention': 0},
            {'event_retention': 100_000},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                settings.create(values).execute()

    def test_a06_no_other_settings(self):
        """The role gives no access to settings of other addons, and nobody else has access to these."""
        with self.assertRaises(AccessError):
            self.env['res.config.settings'].with_user(self.administrator).create({})
        settings = self.env['orestapi.settings']
        for user in (self.user, self.portal_user):
            with self.subTest(user.login), self.assertRaises(AccessError):
                settings.with_user(user).create({'issuer': 'https://evil.example.com'}).execute()
        record = settings.with_user(self.administrator).create({'issuer': 'https://evil.example.com'})
        with self.assertRaises(AccessError):
            record.with_user(self.user).execute()
        self.assertEqual(self.env['orestapi.server']._get_issuer(), 'https://odoo.example.com')

    # A9: rpc bypasses the model scheme

    def test_a09_form_says_it(self):
        arch = self.get_arch('orestapi.application', 'form')
        [note] = arch.xpath("//page[@name='general']//*[@name='goes_past_model_scheme'][not(self::field)]")
        self.assertEqual(note.get('invisible'), 'not goes_past_model_scheme')
        [green] = arch.xpath("//div[contains(@class, 'alert-success')]")
        self.assertIn('goes_past_model_scheme', green.get('invisible'))
        self.assertTrue(self.application.goes_past_model_scheme)
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertFalse(self.application.goes_past_model_scheme)

    def test_a09_consent_page_says_it(self):
        self.authenticate(self.user.login, PASSWORD)
        for scope, expected in (('read', 0), ('rpc', 1), ('read rpc', 1)):
            with self.subTest(scope):
                main = self.get_main(self.authorize(self.get_request(scope=scope)))
                self.assertEqual(len(main.xpath(".//li[contains(@class, 'list-group-item-warning')]")), expected)

    def test_a09_documentation_lists_what_reads(self):
        self.other.write({'name': "Remote control", 'scope_ids': self.env.ref('orestapi.scope_rpc').ids})
        for application in (self.application, self.other):
            self.sign_in(application, scope='rpc')
        self.assertFalse(self.other.documentation_uri)
        for user in (self.user, self.administrator):
            self.authenticate(user.login, PASSWORD)
            with self.subTest(user.login):
                self.assertIn("Wiki", self.url_open(DOCUMENTATION).text)
                self.assertNotIn("Remote control", self.url_open(DOCUMENTATION).text)
                self.assertNotIn("Remote control", self.url_open(f'{DOCUMENTATION}?application={self.other.id}').text)
                # It can read more than the page shows.
                self.assertIn('alert-warning', self.url_open(DOCUMENTATION).text)

    # A13: the shown application

    def test_a13_link_names_the_application(self):
        self.authenticate(self.administrator.login, PASSWORD)
        for application in (self.application, self.other):
            with self.subTest(application=application):
                page = self.url_open(application.documentation_uri)
                self.assertEqual(self.get_main(page).xpath('.//h2')[0].text_content(), application.name)
        arch = self.get_arch('orestapi.application', 'form')
        self.assertFalse(arch.xpath(f"//a[starts-with(@href, '{DOCUMENTATION}')]"))
        self.assertTrue(arch.xpath("//field[@name='documentation_uri'][@widget='url']"))
        # Without an id there is no page.
        self.assertFalse(self.env['orestapi.application'].new({'name': "New"}).documentation_uri)

    def test_a13_many_applications(self):
        self.env['orestapi.application'].create([{'name': f"Application {number}"} for number in range(300)])
        self.authenticate(self.administrator.login, PASSWORD)
        main = self.get_main(self.url_open(f'{DOCUMENTATION}?application={self.other.id}'))
        self.assertLess(len(main.xpath('.//a | .//button')), 10)
        self.assertGreater(len(main.xpath('.//select/option')), 300)
        self.assertEqual(main.xpath('.//option[@selected]/text()'), ["Shop"])

    def test_a13_unknown_application(self):
        """Showing another one instead would be misleading."""
        self.authenticate(self.administrator.login, PASSWORD)
        for text in ('0', 'x', str(self.other.id + 100_000)):
            with self.subTest(text=text):
                main = self.get_main(self.url_open(f'{DOCUMENTATION}?application={text}'))
                self.assertFalse(main.xpath('.//h2'))
                self.assertNotIn('res.partner', main.text_content())

    # A14: status and last use in lists

    def test_a14_status(self):
        self.other.uri_ids = False
        self.application.require_pkce = False
        ours = [('id', 'in', (self.application + self.other + self.public).ids)]
        applications = self.env['orestapi.application'].with_user(self.administrator)
        for status in ('incomplete', 'risky', 'ready'):
            with self.subTest(status=status):
                found = applications.search([*ours, ('status', '=', status)])
                self.assertEqual(
                    found, applications.search(ours).filtered(lambda found, status=status: found.status == status)
                )
        self.assertIn(self.other, applications.search([('status', '!=', 'ready')]))
        self.assertIn(self.other, applications.search([('status', 'in', ['incomplete', 'risky'])]))
        ordered = applications.search(ours, order='status, id').mapped('status')
        self.assertEqual(ordered, sorted(ordered, key=['incomplete', 'risky', 'ready'].index))
        self.assertEqual(applications.search(ours, order='status DESC, id').mapped('status')[-1], 'incomplete')
        groups = dict(applications._read_group(ours, ['status'], ['__count']))
        self.assertEqual(groups, {status: ordered.count(status) for status in set(ordered)})
        described = applications.fields_get(['status', 'last_used_at'], ['sortable', 'groupable', 'searchable'])
        for name, description in described.items():
            with self.subTest(name):
                self.assertEqual({key: description[key] for key in ('sortable', 'groupable', 'searchable')},
                                 {'sortable': True, 'groupable': True, 'searchable': True})  # fmt: skip
        groups = applications.web_read_group(ours, ['status'], ['__count'])
        self.assertEqual(groups['length'], len(set(ordered)))

    def test_a14_sign_ins(self):
        """The list of applications can be filtered and sorted by the column Sign-ins."""
        self.sign_in()
        self.sign_in()
        self.sign_in(self.other)
        self.application.refresh_token_expiry = 60
        applications = self.env['orestapi.application'].with_user(self.administrator)
        ours = [('id', 'in', (self.application + self.other + self.public).ids)]
        for seconds, counts in ((0, [2, 1, 0]), (61, [0, 1, 0])):
            with self.subTest(seconds=seconds), self.later(seconds=seconds):
                applications.invalidate_model()
                found = applications.search(ours, order='sign_in_count desc, id')
                self.assertEqual(found.mapped('sign_in_count'), sorted(counts, reverse=True))
                self.assertEqual(applications.search(ours, order='sign_in_count, id')[-1], found[0])
                in_use = self.get_filter('in_use')
                self.assertEqual(applications.search([*ours, *in_use]), found.filtered('sign_in_count'))
                idle = applications.search([*ours, *self.get_filter('not_in_use')])
                self.assertEqual(idle, found - found.filtered('sign_in_count'))
                for operator, number in (('>=', 1), ('<', 2), ('<=', 0), ('!=', 1), ('in', [1, 2])):
                    with self.subTest(operator=operator):
                        domain = [('sign_in_count', operator, number)]
                        self.assertEqual(
                            applications.search([*ours, *domain]),
                            applications.search(ours).filtered_domain(domain),
                            domain,
                        )
        described = applications.fields_get(['sign_in_count'], ['sortable', 'searchable'])['sign_in_count']
        self.assertEqual(described, {'sortable': True, 'searchable': True})
        # The web client requests this for each field of a grouped list.
        groups = applications.web_read_group(ours, ['client_type'], ['__count', 'sign_in_count:sum'])['groups']
        self.assertEqual(sorted(group['sign_in_count:sum'] for group in groups), [0, 3])

    def test_a14_status_is_for_administrators(self):
        applications = self.env['orestapi.application'].with_user(self.user)
        for case, call in enumerate((
            lambda: applications.search([('sign_in_count', '>', 0)]),
            lambda: applications.search([], order='sign_in_count'),
            lambda: applications.search([('status', '=', 'ready')]),
            lambda: applications.search([], order='status'),
            lambda: applications._read_group([], ['status'], ['__count']),
            lambda: applications.search([], order='last_used_at'),
        )):
            with self.subTest(case=case), self.assertRaises(AccessError):
                call()

    def get_filter(self, name):
        [domain] = self.get_arch('orestapi.application', 'search').xpath(f"//filter[@name='{name}']/@domain")
        return [('id', 'in', (self.application + self.other + self.public).ids), *safe_eval(domain)]

    def test_a14_not_used_for_90_days(self):
        applications = self.env['orestapi.application'].with_user(self.administrator)
        now = fields.Datetime.now()
        self.env.cr.execute(
            "UPDATE orestapi_application SET last_used_at = %s, create_date = %s WHERE id = %s",
            [now - timedelta(days=91), now - timedelta(days=200), self.application.id],
        )
        self.env.cr.execute(
            "UPDATE orestapi_application SET create_date = %s WHERE id = %s",
            [now - timedelta(days=100), self.other.id],
        )
        self.env.invalidate_all()
        # Used long ago, or never although it is old; not the new one.
        self.assertEqual(applications.search(self.get_filter('not_used')), self.application + self.other)
        self.sign_in()
        self.assertEqual(applications.search(self.get_filter('not_used')), self.other)
        [label] = self.get_arch('orestapi.application', 'search').xpath("//filter[@name='not_used']/@string")
        self.assertEqual(label, "Not used for 90 days")

    def get_last_use(self, application=None):
        application = application or self.application
        application.invalidate_recordset(['last_used_at'])
        return application.last_used_at

    def test_a14_last_use(self):
        self.stop_clock()
        start = fields.Datetime.now()
        self.assertFalse(self.get_last_use())
        tokens = self.sign_in(scope='read rpc')
        self.assertEqual(self.get_last_use(), start)
        modified = self.application.write_date
        with self.later(minutes=5):
            self.refresh(tokens['refresh_token'])
            self.assertEqual(self.get_last_use(), start)
        with self.later(minutes=15):
            tokens = self.sign_in(scope='read rpc')
            self.assertEqual(self.get_last_use(), start + timedelta(minutes=15))
        with self.later(minutes=30):
            self.assertEqual(self.call_json2(tokens['access_token']).status_code, 200)
            self.assertEqual(self.get_last_use(), start + timedelta(minutes=30))
        with self.later(minutes=45):
            tokens = self.refresh(tokens['refresh_token']).json()
            self.assertEqual(self.get_last_use(), start + timedelta(minutes=45))
        # The time stays when the sign-ins are deleted.
        self.env['orestapi.authorization'].search([('application_id', '=', self.application.id)]).action_revoke()
        self.assertEqual(self.get_last_use(), start + timedelta(minutes=45))
        self.assertEqual(self.application.write_date, modified)
        self.assertFalse(self.get_last_use(self.other))

    def test_a14_last_use_of_a_service(self):
        self.application.service_user_id = self.administrator
        self.application.client_secret = self.get_auth()[1]
        response = self._post_token({'grant_type': 'client_credentials', 'scope': 'read'}, self.application, True, {})
        self.assertEqual(response.status_code, 200, response.text)
        self.assertTrue(self.get_last_use())

    # A10: portal users

    def get_authorization(self, user, application=None):
        return self.env['orestapi.authorization'].search([
            ('user_id', '=', user.id),
            ('application_id', '=', (application or self.application).id),
        ])

    def open_to_portal(self):
        (self.application + self.other).group_ids += self.env.ref('base.group_portal')

    def get_main(self, page):
        self.assertLess(page.status_code, 500)
        [main] = html.fromstring(page.text).xpath('//main')
        return main

    def press(self, page, **changes):
        """Send the form of a question."""
        [form] = self.get_main(page).xpath('.//form')
        data = {field.get('name'): field.get('value') for field in form.xpath('.//input | .//button')}
        return self.url_open(form.get('action'), data={**data, **changes}, allow_redirects=False)

    def test_a10_page_of_a_portal_user(self):
        self.open_to_portal()
        tokens = self.sign_in(user=self.portal_user)
        kept = self.sign_in(self.other, user=self.portal_user)
        self.authenticate(self.portal_user.login, PASSWORD)
        page = self.url_open(PAGE)
        main = self.get_main(page)
        self.assertNotIn('<script src', page.text)
        self.assertEqual(main.text_content().count("Last used"), 4)
        self.assertEqual(len(main.xpath(".//img[starts-with(@src, 'data:image')]")), 2)
        self.assertTrue(main.xpath(".//a[@href='/web/login_successful' or @href='/my/security']"))
        authorization = self.get_authorization(self.portal_user)
        link = f'{PAGE}?authorization={authorization.id}'
        self.assertTrue(main.xpath(f".//a[@href='{link}']"))
        # The question changes nothing.
        question = self.url_open(link)
        self.assertIn("Wiki", self.get_main(question).xpath('.//h1')[0].text_content())
        self.assertTrue(self.get_main(question).xpath(f".//a[@href='{PAGE}']"))
        self.assertActive(tokens['access_token'])
        response = self.press(question)
        self.assertEqual(response.status_code, 303)
        done = self.url_open(response.headers['Location'])
        self.assertTrue(self.get_main(done).xpath(".//*[@role='status']"))
        self.assertNotIn("Wiki", done.text)
        self.assertInactive(tokens['access_token'], tokens['refresh_token'])
        self.assertActive(kept['access_token'], application=self.other)

    def test_a10_one_device(self):
        self.open_to_portal()
        ended, kept = self.sign_in(user=self.portal_user), self.sign_in(user=self.portal_user)
        self.authenticate(self.portal_user.login, PASSWORD)
        main = self.get_main(self.url_open(PAGE))
        links = main.xpath(".//a[contains(@href, 'sign_in=')]/@href")
        self.assertEqual(len(links), 2)
        # The latest is first.
        question = self.url_open(links[1])
        self.assertActive(ended['access_token'], kept['access_token'])
        response = self.press(question)
        self.assertTrue(self.get_main(self.url_open(response.headers['Location'])).xpath(".//*[@role='status']"))
        self.assertInactive(ended['access_token'], ended['refresh_token'])
        self.assertActive(kept['access_token'])
        # An ended one is not asked about.
        self.assertFalse(self.get_main(self.url_open(links[1])).xpath('.//form'))

    def test_a10_of_somebody_else(self):
        self.open_to_portal()
        tokens = self.sign_in()
        mine = self.sign_in(user=self.portal_user)
        self.authenticate(self.portal_user.login, PASSWORD)
        authorization = self.get_authorization(self.user)
        own = self.url_open(f'{PAGE}?authorization={self.get_authorization(self.portal_user).id}')
        for name, ident in (
            ('authorization', authorization.id),
            ('sign_in', authorization.token_ids.id),
            ('authorization', '²'),
            ('sign_in', '99999999999999999999'),
            ('sign_in', '-1'),
        ):
            with self.subTest(name, ident=ident):
                self.assertFalse(self.get_main(self.url_open(f'{PAGE}?{name}={ident}')).xpath('.//form'))
                response = self.press(own, **{'authorization': '', name: ident})
                self.assertEqual(response.headers['Location'], PAGE)
        self.assertActive(tokens['access_token'], mine['access_token'])

    def test_a10_way_to_the_page(self):
        """Without the addon Portal, portal users come to this page of core."""
        self.authenticate(self.portal_user.login, PASSWORD)
        self.assertIn(f'href="{PAGE}"', self.url_open('/web/login_successful').text)

    def test_a10_no_portal(self):
        data = self.env['ir.model.data']
        if not self.env.ref('portal.portal_my_security', raise_if_not_found=False):
            data._extend_portal()
            self.assertFalse(self.env.ref('orestapi.portal_my_security', raise_if_not_found=False))

    # A19: pages in other languages

    def assertDirected(self, page):
        """Assert that each text of a page has a writing direction, or derives it from its letters."""
        document = html.fromstring(page.text)
        self.assertEqual(document.get('dir'), 'rtl')
        self.assertTrue(document.get('lang').startswith('ar'))
        [main] = document.xpath('//main')
        for element in main.iter(etree.Element):
            with self.subTest(element=element):
                texts = [element.text, *(child.tail for child in element)]
                if not ''.join(filter(None, texts)).strip() or element.get('aria-hidden'):
                    continue
                directed = element.xpath('ancestor-or-self::*[ancestor::main][@dir or self::bdi]')
                self.assertTrue(directed, etree.tostring(element))

    def test_a19_right_to_left(self):
        """In a right-to-left language without a translation, the texts are written from left to right."""
        self.env['res.lang']._activate_lang('ar_001')
        self.user.lang = 'ar_001'
        self.sign_in()
        authorization = self.get_authorization(self.user)
        self.authenticate(self.user.login, PASSWORD)
        pages = {
            'consent': self.authorize(self.get_request(scope='read rpc')),
            'error': self.authorize({'client_id': 'unknown'}),
            'redirect_uri': self.authorize(self.get_request(redirect_uri='https://other.example.com')),
            'connected': self.url_open(f'{PAGE}?done=authorization'),
            'disconnect': self.url_open(f'{PAGE}?authorization={authorization.id}'),
            'sign out': self.url_open(f'{PAGE}?sign_in={authorization.token_ids.id}'),
            'documentation': self.url_open(DOCUMENTATION),
            'no documentation': self.url_open(f'{DOCUMENTATION}?application=x'),
        }
        authorization.action_revoke()
        pages['not connected'] = self.url_open(PAGE)
        pages['nothing to read'] = self.url_open(DOCUMENTATION)
        self.application.group_ids = self.env.ref('base.group_system')
        pages['not allowed'] = self.authorize(self.get_request())
        for name, page in pages.items():
            with self.subTest(name):
                self.assertDirected(page)

    def test_a19_names_stand_apart(self):
        """A name in another script does not reverse the text around it."""
        self.application.name = "ויקי <b>"
        self.authenticate(self.user.login, PASSWORD)
        page = self.authorize(self.get_request())
        self.assertIn("<bdi>ויקי &lt;b&gt;</bdi>", page.text)
        self.assertEqual(html.fromstring(page.text).xpath('//title/text()'), ["Allow ויקי <b>?"])

    def test_a19_direction_of_the_page(self):
        self.authenticate(self.user.login, PASSWORD)
        for case, page in enumerate((
            self.authorize(self.get_request()),
            self.url_open(PAGE),
            self.url_open(DOCUMENTATION),
        )):
            with self.subTest(case=case):
                document = html.fromstring(page.text)
                self.assertEqual((document.get('dir'), document.get('lang')), ('ltr', 'en-US'))


class TestTerms(TransactionCase):
    """A15: translatable texts, found in the sources."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(get_module_path('orestapi'))

    #: A call of `_t` with one plain string in front.
    CALL = re.compile(r"""\b_t\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*[,)]""")

    def test_a15_javascript(self):
        terms = set()
        for path in (self.folder / 'static' / 'src').rglob('*.js'):
            text = path.read_text()
            with self.subTest(path.name):
                calls = [first or second for first, second in self.CALL.findall(text)]
                self.assertEqual(len(calls), len(re.findall(r'\b_t\(', text)), "A term is no plain string.")
                # Odoo's extractor does not find those inside of a template literal.
                for literal in re.findall(r'`(?:[^`\\]|\\.)*`', text):
                    self.assertNotIn('_t(', literal)
                terms.update(calls)
        template = {entry.msgid for entry in polib.pofile(str(self.folder / 'i18n' / 'orestapi.pot'))}
        self.assertLessEqual(terms, template, "Write the terms into i18n/ with `make translations`.")

    def test_a15_python(self):
        """A term is one plain string, neither composed before its translation nor filled in after it."""

        def is_call(node):
            function = getattr(node, 'func', None)
            name = getattr(function, 'attr', None) or getattr(function, 'id', None)
            return isinstance(node, ast.Call) and name in ('_', '_lt')

        calls = 0
        for folder in ('controllers', 'dispatchers', 'models', 'wizards'):
            for path in (self.folder / folder).rglob('*.py'):
                if path.name == 'orestapi_event.py':
                    # Its sentences are in a table: see `test_a15_placeholders`.
                    continue
                for node in ast.walk(ast.parse(path.read_text())):
                    with self.subTest(path.name, line=getattr(node, 'lineno', 0)):
                        if is_call(node):
                            calls += 1
                            self.assertIsInstance(node.args[0], ast.Constant)
                            self.assertIsInstance(node.args[0].value, str)
                        for child in ast.iter_child_nodes(node):
                            if is_call(child):
                                self.assertNotIsInstance(node, ast.BinOp | ast.FormattedValue)
                                self.assertNotEqual(getattr(node, 'attr', None), 'format')
        self.assertGreater(calls, 50)

    def test_a15_names_in_pages(self):
        """No sentence of a template contains a name, because Odoo translates the parts around it separately."""
        for path in (self.folder / 'views').glob('*_templates.xml'):
            for element in etree.parse(str(path)).iter('bdi', 't', 'span', 'strong'):
                if not (element.get('t-out') or element.get('t-field')) or element.xpath('ancestor::code'):
                    continue
                before = (
                    element.getprevious().tail if element.getprevious() is not None else element.getparent().text
                ) or ''
                after = element.tail or ''
                with self.subTest(path.name, line=element.sourceline):
                    # "Last used: 5 May" has the same order everywhere.
                    self.assertRegex(before.strip(), r'\A(.*:)?\Z')
                    self.assertFalse(after.strip())
