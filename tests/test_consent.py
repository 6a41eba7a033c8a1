import base64
import html
import re
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode, urlsplit

from odoo import http
from odoo.tests import tagged

from ..controllers.consent import CONSENT_EXPIRY
from .common import CALLBACK, PASSWORD, OAuth2Case
from .oauth2_client import change, read_form

#: Characters that a step between the request and its resumption could change.
STATE = 'a&b=c#d%e+f g/?%2B%26 😀é"<>\\\r\n'


@tagged('post_install', '-at_install')
class TestConsent(OAuth2Case):
    """Protection of the user's browser on the way to a consent."""

    def ask(self, **changes):
        return self.authorize(self.get_request(**changes))

    def post_form(self, page, **changes):
        """Send the form of a consent page with changes; None leaves a field out."""
        action, fields = self.get_form(page)
        data = change({**fields, 'decision': 'allow'}, changes)
        return self.url_open(action, data=data, allow_redirects=False, method='POST')

    def log_in(self, url, login='mitchell', password=PASSWORD, **changes):
        """Fill in the login page at `url`, and return the response."""
        page = self.url_open(url)
        _action, fields = read_form(page.text)
        return self.url_open(
            '/web/login', data={**fields, 'login': login, 'password': password, **changes}, allow_redirects=False
        )

    def get_path(self, response):
        """Return where a redirect within this site leads."""
        self.assertEqual(response.status_code, 303, response.text)
        location = urlsplit(response.headers['Location'])
        self.assertIn(f'{location.scheme}://{location.netloc}', ('://', self.base_url()))
        return response.headers['Location'].removeprefix(self.base_url())

    def test_n066_anonymous_user_logs_in_first(self):
        self.application.trusted = True
        self.authenticate(None, None)
        request = list(self.get_request(state=STATE).items())
        response = self.authorize(request)
        self.assertPage(response, 303)
        self.assertNothingGranted()
        login = self.get_path(response)
        self.assertEqual(urlsplit(login).path, '/web/login')
        resumed = self.get_path(self.log_in(login))
        self.assertNothingGranted()
        self.assertEqual(urlsplit(resumed).path, '/oauth2/authorize')
        self.assertEqual(parse_qsl(urlsplit(resumed).query), request)
        parameters = self.get_response(self.url_open(resumed, allow_redirects=False))
        self.assertEqual(parameters['state'], STATE)
        self.assertEqual(self.env['orestapi.authorization'].search([]).user_id, self.user)
        self.assertEqual(self.redeem(parameters['code']).status_code, 200)

    def test_trusted_application_leaves_an_event(self):
        """It is logged at first and when it gets more: nobody was asked, so an administrator must be able to see it."""
        self.application.trusted = True
        for scope in ('read', 'read', 'read rpc'):
            self.authenticate('mitchell', PASSWORD)
            self.get_response(self.authorize(self.get_request(scope=scope)))
        events = self.env['orestapi.event'].search([('kind', '=', 'consent_by_setting')])
        self.assertEqual(events.mapped('detail'), ['read, rpc', 'read'])
        self.assertEqual((events.user_id, events.application_id), (self.user, self.application))
        self.assertFalse(self.env['orestapi.event'].search([('kind', '=', 'consent_given')]))

    def test_n066_session_expired(self):
        """A session that has ended counts as none, for both methods."""
        self.application.trusted = True
        self.authenticate('mitchell', PASSWORD)
        self.user.password = 'another password altogether'
        for method in ('GET', 'POST'):
            with self.subTest(method=method):
                response = self.authorize(self.get_request(state=STATE), method=method)
                self.assertEqual(urlsplit(self.get_path(response)).path, '/web/login')
                self.assertNothingGranted()

    def test_n066_another_user(self):
        """The link *Not you?* leads back to the very same request, as another user."""
        self.authenticate('ada', PASSWORD)
        request = list(self.get_request(state=STATE).items())
        page = self.authorize(request)
        link = html.unescape(re.search(r'href="(/web/session/logout[^"]*)"', page.text)[1])
        login = self.get_path(self.url_open(link, allow_redirects=False))
        resumed = self.get_path(self.log_in(login))
        self.assertEqual(parse_qsl(urlsplit(resumed).query), request)
        self.assertIn('Mitchell', self.url_open(resumed).text)

    def test_n067_get_issues_no_code(self):
        self.authenticate('mitchell', PASSWORD)
        # A GET request with the values of the form changes nothing either.
        _action, fields = self.get_form(self.ask())
        for case, page in enumerate((self.ask(), self.ask(decision='allow', **fields))):
            with self.subTest(case=case):
                self.assertPage(page, 200)
                self.assertNotIn('Location', page.headers)
                self.get_form(page)
                scope = self.env.ref('orestapi.scope_read')
                for text in ("Wiki", "Mitchell", "mitchell", "wiki.example.com", scope.description):
                    with self.subTest(text=text):
                        self.assertIn(text, page.text)
        self.assertNothingGranted()

    def test_n068_csrf(self):
        self.authenticate('ada', PASSWORD)
        _action, stranger = self.get_form(self.ask())
        self.authenticate('mitchell', PASSWORD)
        page = self.ask()
        _action, fields = self.get_form(page)
        other = self.get_form(self.ask(state='another state'))[1]
        self.assertNotEqual(other['consent'], fields['consent'])
        for name in ('csrf_token', 'consent'):
            good = fields[name]
            for value in (None, '', 'wrong', good[:-1], good + '0', stranger[name], 'é', '\0', 'o', '0o0'):
                with self.subTest(name=name, value=value):
                    self.assertErrorPage(self.post_form(page, **{name: value}))
        self.assertErrorPage(self.post_form(page, **stranger))
        self.assertErrorPage(self.post_form(page, consent=other['consent']))
        # Refusing needs them too.
        self.assertErrorPage(self.post_form(page, csrf_token=None, decision='deny'))
        # In another session of the same user too.
        self.authenticate('mitchell', PASSWORD)
        self.assertErrorPage(self.post_form(page))
        # A body that is no form.
        action, fields = self.get_form(self.ask())
        response = self.url_open(action, json={**fields, 'decision': 'allow'}, allow_redirects=False)
        self.assertErrorPage(response)
        # The checks also apply if the user need not be asked.
        self.application.trusted = True
        self.assertErrorPage(self.post_form(page, csrf_token=None))

    def test_s06_settings_changed_while_the_page_is_open(self):
        """The submitted page is checked by the current settings, and must belong to what was shown."""
        self.authenticate('mitchell', PASSWORD)
        self.application.require_pkce = False
        page = self.ask(code_challenge=None, code_challenge_method=None)
        self.application.require_pkce = True
        self.assertEqual(self.get_response(self.post_form(page))['error'], 'invalid_request')
        page = self.ask(scope='rpc')
        self.application.scope_ids -= self.env.ref('orestapi.scope_rpc')
        self.assertEqual(self.get_response(self.post_form(page))['error'], 'invalid_scope')
        page = self.ask(redirect_uri=CALLBACK)
        self.application.uri_ids.uri = 'https://wiki.example.com/other'
        self.assertErrorPage(self.post_form(page))
        self.application.uri_ids.uri = CALLBACK
        page = self.ask()
        self.application.group_ids = self.env.ref('base.group_system')
        self.assertPage(self.post_form(page), 403)
        self.application.group_ids = self.env.ref('base.group_user')
        page = self.ask()
        self.application.active = False
        self.assertEqual(self.post_form(page).status_code, 400)
        self.application.active = True
        self.assertNothingGranted()

    def test_s06_offer_widened_while_the_page_is_open(self):
        """More than the user was asked about would be allowed, and nobody would ask again."""
        scheme = self.env['orestapi.model.scheme'].create({'name': "Nothing", 'limit_models': 'whitelist'})
        self.application.model_scheme_id = scheme
        self.authenticate('mitchell', PASSWORD)
        page = self.ask()
        scheme.limit_models = 'none'
        self.assertErrorPage(self.post_form(page))
        page = self.ask()
        self.application.model_scheme_id = scheme.copy()
        self.assertErrorPage(self.post_form(page))
        self.assertIn('code', self.get_response(self.post_form(self.ask())))

    def test_s13_consent_expires(self):
        """A page that was left open cannot be submitted days later."""
        self.stop_clock()
        self.authenticate('mitchell', PASSWORD)
        page = self.ask()
        _action, fields = self.get_form(page)
        expires_at, _dot, signature = fields['consent'].partition('.')
        for consent in (
            signature,
            f'.{signature}',
            f'{int(expires_at) + 1}.{signature}',
            f'{expires_at}9.{signature}',
            f' {expires_at}.{signature}',
            f'{expires_at}.{signature}.{signature}',
            f'-1.{signature}',
            f'{"9" * 400}.{signature}',
            f'٣.{signature}',
        ):
            with self.subTest(consent=consent[:40]):
                self.assertErrorPage(self.post_form(page, consent=consent))
        with self.later(seconds=CONSENT_EXPIRY):
            self.assertErrorPage(self.post_form(page))
        with self.later(seconds=CONSENT_EXPIRY - 1):
            self.assertIn('code', self.get_response(self.post_form(page)))

    def test_s13_no_script(self):
        """The pages have no scripts, and an injected one, which could press *Allow*, would not run."""
        self.authenticate('mitchell', PASSWORD)
        pages = [
            self.ask(),
            self.ask(client_id='unknown-client'),
            self.url_open('/oauth2/applications'),
        ]
        self.application.group_ids = self.env.ref('base.group_system')
        pages.append(self.ask())
        for case, page in enumerate(pages):
            with self.subTest(case=case):
                policy = dict(part.strip().split(' ', 1) for part in page.headers['Content-Security-Policy'].split(';'))
                self.assertEqual(policy['script-src'], "'none'")
                self.assertEqual(policy['frame-ancestors'], "'none'")
                self.assertNotIn('unsafe-inline', policy['default-src'])
                self.assertNotIn('<script', page.text)
                self.assertNotRegex(page.text, r'<[^>]* on[a-z]+=')

    def test_error_page_says_what_to_do(self):
        """The page is in the user's language, with the protocol's own error only as a detail."""
        pages = [self.ask(client_id='unknown-client'), self.ask(redirect_uri='https://evil.example')]
        self.authenticate('mitchell', PASSWORD)
        pages.append(self.post_form(self.ask(), consent=None))
        sentences = ("know the application that sent you here", "registered in Odoo", "This page expired, or you have")
        for page, sentence in zip(pages, sentences, strict=True):
            with self.subTest(sentence=sentence):
                self.assertErrorPage(page)
                self.assertIn(sentence, page.text)
                detail = re.search(r'<p class="small[^"]*" lang="en"[^>]*>([^<]*)</p>', page.text)[1]
                reference = re.search(r'<code[^>]*>([0-9a-f]{8})</code>', page.text)[1]
                event = self.env['orestapi.event'].search([('reference', '=', reference)])
                self.assertEqual(event.detail, html.unescape(detail))

    def test_n068_session_id_changes_in_part(self):
        """The form outlives the change of the session id that Odoo makes every few hours."""
        self.authenticate('mitchell', PASSWORD)
        with patch.object(http, 'SESSION_ROTATION_INTERVAL', -1):
            page = self.ask()
        self.assertIn('session_id', page.headers['Set-Cookie'])
        self.assertIn('code', self.get_response(self.post_form(page)))

    def test_n069_only_what_was_displayed_is_granted(self):
        self.authenticate('mitchell', PASSWORD)
        self.application.uri_ids = [(0, 0, {'uri': CALLBACK + '2'})]
        page = self.ask()
        action, fields = self.get_form(page)
        data = {**fields, 'decision': 'allow'}
        for changes in (
            {'scope': 'read rpc'},
            {'redirect_uri': CALLBACK + '2'},
            {'code_challenge': 'A' * 43},
            {'client_id': 'shop-client', 'redirect_uri': 'https://shop.example.com/callback'},
            {'state': 'other'},
            {'state': None},
            {'scope': None},
        ):
            with self.subTest(changes=changes):
                query = urlencode(self.get_request(**changes))
                self.assertErrorPage(self.url_open(f'/oauth2/authorize?{query}', data=data, allow_redirects=False))
        # Changed requests are checked again too.
        query = urlencode(self.get_request(redirect_uri='https://evil.example'))
        self.assertErrorPage(self.url_open(f'/oauth2/authorize?{query}', data=data, allow_redirects=False))
        # The body is ignored.
        response = self.url_open(
            action,
            data={
                **data,
                'scope': 'read rpc',
                'redirect_uri': CALLBACK + '2',
                'client_id': 'shop-client',
                'code_challenge': 'A' * 43,
                'state': 'other',
            },
            allow_redirects=False,
        )
        self.assertEqual(response.headers['Location'].partition('?')[0], CALLBACK)
        parameters = self.get_response(response)
        self.assertEqual(parameters['state'], 'state of the application')
        authorization = self.env['orestapi.authorization'].search([])
        self.assertEqual(authorization.application_id, self.application)
        self.assertEqual(authorization.scope_ids.mapped('name'), ['read'])
        self.assertEqual(self.redeem(parameters['code']).json()['scope'], 'read')

    def test_n069_settings_change_while_the_page_is_open(self):
        """A request that leaves scope and redirect URI to the settings gets the displayed ones."""
        self.authenticate('mitchell', PASSWORD)
        page = self.ask(scope=None, redirect_uri=None)
        self.application.scope_ids = self.env.ref('orestapi.scope_rpc')
        self.assertErrorPage(self.post_form(page))
        page = self.ask(scope=None, redirect_uri=None)
        self.application.uri_ids.uri = CALLBACK + '2'
        self.assertErrorPage(self.post_form(page))
        page = self.ask(scope=None, redirect_uri=None)
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertErrorPage(self.post_form(page))
        # The client id now stands for another application.
        page = self.ask(redirect_uri=None)
        self.application.client_id = 'wiki-client-old'
        self.other.write({'client_id': 'wiki-client', 'name': "Not the wiki"})
        self.assertErrorPage(self.post_form(page))

    def test_n070_user_changes_while_the_page_is_open(self):
        self.authenticate('mitchell', PASSWORD)
        page = self.ask()
        self.authenticate('ada', PASSWORD)
        self.assertErrorPage(self.post_form(page))
        # Even if the session kept its id, which every login changes.
        page = self.ask()
        session = self.authenticate('mitchell', PASSWORD)
        kept = self.get_form(self.ask())[1]
        session.update(uid=self.administrator.id, login='ada')
        # Core caches the token of a session by its id only.
        self.env.registry.clear_cache()
        session.session_token = self.administrator._compute_session_token(session.sid)
        http.root.session_store.save(session)
        fields = self.get_form(self.ask())[1]
        self.assertIn("Ada", self.ask().text)
        self.assertErrorPage(self.post_form(page, csrf_token=fields['csrf_token'], consent=kept['consent']))

    def test_n071_double_click(self):
        self.authenticate('mitchell', PASSWORD)
        page = self.ask()
        codes = [self.get_response(self.post_form(page))['code'] for _click in range(2)]
        self.assertNotEqual(*codes)
        # Two independent codes of one authorization.
        self.assertEqual(len(self.env['orestapi.authorization'].search([])), 1)
        first, second = (self.redeem(code).json() for code in codes)
        self.assertActive(first['access_token'], second['access_token'])

    def test_n072_prefetch(self):
        self.application.trusted = True
        self.authenticate('mitchell', PASSWORD)
        query = self.get_request()
        events = self.env['orestapi.event'].search_count([])
        bad = self.get_request(client_id='unknown-client')
        for parameters in (query, bad):
            responses = [self.authorize(parameters, method='HEAD')]
            responses += [
                self.authorize(parameters, headers=headers)
                for headers in (
                    {'Purpose': 'prefetch'},
                    {'Sec-Purpose': 'prefetch'},
                    {'Sec-Purpose': 'prefetch;prerender'},
                    {'X-Moz': 'prefetch'},
                )
            ]
            for case, response in enumerate(responses):
                with self.subTest(parameters=parameters, case=case):
                    self.assertPage(response, 204)
                    self.assertNotIn('Location', response.headers)
                    self.assertNotIn('Set-Cookie', response.headers)
        self.assertNothingGranted()
        self.assertEqual(self.env['orestapi.event'].search_count([]), events)
        self.assertIn('code', self.get_response(self.authorize(query)))

    def assertNotFramed(self, response):
        self.assertEqual(response.headers['X-Frame-Options'], 'DENY')
        self.assertIn("frame-ancestors 'none'", response.headers['Content-Security-Policy'].split('; '))
        self.assertEqual(response.headers['Referrer-Policy'], 'no-referrer')

    def test_n073_framing(self):
        self.authenticate(None, None)
        response = self.ask()
        self.assertNotFramed(response)
        login = self.get_path(response)
        self.assertNotFramed(self.url_open(login))
        wrong = self.log_in(login, password='wrong')
        self.assertEqual(wrong.status_code, 200)
        self.assertNotFramed(wrong)
        self.authenticate('mitchell', PASSWORD)
        page = self.ask()
        self.assertNotFramed(page)
        self.assertNotFramed(self.ask(client_id='unknown-client'))
        self.assertNotFramed(self.post_form(page, consent=None))
        self.assertNotFramed(self.post_form(page))
        self.application.group_ids = self.env.ref('base.group_portal')
        self.assertNotFramed(self.ask())

    def test_n073_framing_of_further_login_steps(self):
        """Login steps of other addons are covered, and other pages are not changed."""
        redirect = '/oauth2/authorize?' + urlencode(self.get_request())
        self.authenticate('mitchell', PASSWORD)
        self.assertNotFramed(self.url_open('/web/login_successful?' + urlencode({'redirect': redirect})))
        self.authenticate(None, None)
        for path in ('/odoo', 'x' + redirect):
            with self.subTest(path=path):
                page = self.url_open('/web/login?' + urlencode({'redirect': path}))
                self.assertEqual(page.headers['X-Frame-Options'], 'SAMEORIGIN')

    def test_login_page_names_the_application(self):
        self.authenticate(None, None)
        self.application.name = '<i>Wiki</i>'

        def get_login_page(redirect):
            page = self.url_open('/web/login?' + urlencode({'redirect': redirect}))
            self.assertEqual(page.status_code, 200)
            return page.text

        path = '/oauth2/authorize?' + urlencode(self.get_request())
        self.assertIn("Log in to continue to <bdi>&lt;i&gt;Wiki&lt;/i&gt;</bdi>", get_login_page(path))
        for redirect in (
            '', '/odoo', f'x{path}', f'//evil.example{path}', 'http://[', '/oauth2/authorize', '/oauth2/authorize?%ff',
            '/oauth2/authorize?client_id=%00', '/oauth2/authorize?client_id=unknown', f'{path}&client_id=wiki',
            '/oauth2/authorize?client_id=é', '/oauth2/authorize/?' + urlencode(self.get_request()),
        ):  # fmt: skip
            with self.subTest(redirect=redirect):
                self.assertNotIn("Log in to continue", get_login_page(redirect))
        self.application.active = False
        self.assertNotIn("Log in to continue", get_login_page(path))

    def get_pages(self):
        """Return the pages that this endpoint can show a user."""
        self.authenticate('mitchell', PASSWORD)
        pages = [self.ask(), self.ask(client_id='unknown-client')]
        group = self.application.group_ids
        self.application.group_ids = self.env.ref('base.group_portal')
        pages.append(self.ask())
        self.application.group_ids = group
        return pages

    def test_n074_referrer(self):
        for case, page in enumerate(self.get_pages()):
            with self.subTest(case=case):
                self.assertEqual(page.headers['Referrer-Policy'], 'no-referrer')
                for address in re.findall(r'(?:src|srcset|action|data|poster)\s*=\s*["\']?([^"\'\s>]*)', page.text):
                    with self.subTest(address=address):
                        self.assertRegex(address, r'\A(?:/(?!/)|data:image/)')
                for link in re.findall(r'<link\b[^>]*>', page.text):
                    with self.subTest(link=link):
                        self.assertRegex(link, r'href="/(?!/)')
                self.assertNotRegex(page.text, r'(?i)@import|url\(|http-equiv="refresh')
                # Style sheets fetch nothing from elsewhere, whatever addons put into them.
                self.assertEqual(page.headers['Content-Security-Policy'].partition(';')[0], "default-src 'self' data:")

    def test_n075_cache(self):
        self.authenticate('mitchell', PASSWORD)
        page = self.ask()
        for case, response in enumerate((*self.get_pages(), self.post_form(page), self.ask(scope='unknown'))):
            with self.subTest(case=case):
                self.assertEqual(response.headers['Cache-Control'], 'no-store')
                self.assertEqual(response.headers['Pragma'], 'no-cache')
        self.authenticate(None, None)
        self.assertEqual(self.ask().headers['Cache-Control'], 'no-store')

    def test_n076_texts_of_the_application_are_escaped(self):
        evil = '<script>alert("marker")</script>\'"><img src=x onerror=marker> \u202egpj.exe {{marker}} ${marker}'
        self.application.write({'name': evil, 'description': evil})
        self.user.name = evil
        # An administrator writes the name, and has no reason to reverse it.
        self.env.ref('orestapi.scope_read').description = evil.replace('\u202egpj', '')
        for case, page in enumerate(self.get_pages()):
            with self.subTest(case=case):
                self.assertNotIn('<script>alert', page.text)
                self.assertNotIn('<img src=x', page.text)
                # A name that reverses the writing direction affects only itself.
                body = page.text.partition('<body')[2]
                for element in re.findall(r'(<[^>]*>)[^<]*gpj', body):
                    with self.subTest(element=element):
                        self.assertEqual(element, '<bdi>')

    def test_n076_logo(self):
        """A logo shows as an image, and cannot run scripts when it is opened by itself."""
        svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
        self.application.logo = base64.b64encode(svg)
        self.authenticate('mitchell', PASSWORD)
        page = self.ask()
        self.assertNotIn('alert(1)', page.text)
        source = f'data:image/svg+xml;base64,{base64.b64encode(svg).decode()}'
        self.assertEqual(len(re.findall(rf'<img\b[^>]*\bsrc="{re.escape(source)}"', page.text)), 1)
        self.assertEqual(page.text.count(source), 1)
        response = self.url_open(f'/web/image/orestapi.application/{self.application.id}/logo')
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers['X-Content-Type-Options'], 'nosniff')
        self.assertEqual(response.headers['Content-Security-Policy'], "default-src 'none'")

    def test_n077_cors(self):
        self.application.write({'trusted': True, 'allowed_origins': 'https://wiki.example.com'})
        self.authenticate('mitchell', PASSWORD)
        for origin in ('https://wiki.example.com', 'https://evil.example', 'null'):
            with self.subTest(origin=origin):
                preflight = self.authorize(
                    self.get_request(),
                    method='OPTIONS',
                    headers={'Origin': origin, 'Access-Control-Request-Method': 'POST'},
                )
                self.assertPage(preflight, 204)
                self.assertNothingGranted()
                responses = [preflight] + [
                    self.authorize(self.get_request(**changes), headers={'Origin': origin})
                    for changes in ({}, {'client_id': 'unknown-client'}, {'scope': 'unknown'})
                ]
                for case, response in enumerate(responses):
                    with self.subTest(case=case):
                        self.assertFalse([name for name in response.headers if name.startswith('Access-Control-')])
                self.env['orestapi.authorization'].search([]).unlink()

    def test_n078_more_is_asked_than_was_allowed(self):
        self.authenticate('mitchell', PASSWORD)
        self.post_form(self.ask(scope=None))
        codes = self.env['orestapi.authorization.code'].search_count([])
        for scope in ('read rpc', 'rpc'):
            with self.subTest(scope=scope):
                page = self.ask(scope=scope)
                self.get_form(page)
                self.assertIn(self.env.ref('orestapi.scope_rpc').description, page.text)
        # The default scope has grown.
        self.application.scope_ids = self.env.ref('orestapi.scope_rpc')
        self.get_form(self.ask(scope=None))
        self.assertEqual(self.env['orestapi.authorization.code'].search_count([]), codes)
        # Consent of one user, or for one application, does not count for another.
        self.get_form(self.ask(client_id='shop-client', redirect_uri='https://shop.example.com/callback'))
        self.authenticate('ada', PASSWORD)
        self.get_form(self.ask(scope='rpc'))

    def test_n079_no_redirect_to_the_application_before_the_login(self):
        self.authenticate(None, None)
        for changes in (
            {'response_type': 'token'},
            {'response_type': None},
            {'scope': 'unknown'},
            {'code_challenge': None},
            {'prompt': 'none'},
        ):
            for method in ('GET', 'POST'):
                with self.subTest(changes=changes, method=method):
                    response = self.authorize(self.get_request(**changes), method=method)
                    self.assertEqual(urlsplit(self.get_path(response)).path, '/web/login')
        self.assertNothingGranted()

    def test_n080_login_stays_on_this_origin(self):
        for redirect in (
            '//evil.example',
            '\\evil.example',
            '/\\evil.example',
            '\\\\evil.example',
            'https://evil.example/x',
            'https:evil.example',
            '///evil.example',
            'javascript:alert(1)',
            '/oauth2/authorize/..//evil.example',
            '/oauth2/authorize@evil.example',
            '/\t/evil.example',
            '\t//evil.example',
            '/\n/evil.example',
            '/.\t/evil.example',
            '/oauth2/authorize\r\nX: evil',
        ):
            with self.subTest(redirect=redirect):
                self.authenticate(None, None)
                login = '/web/login?' + urlencode({'redirect': redirect})
                self.assertStaysHere(self.log_in(login))
                self.authenticate(None, None)
                self.assertStaysHere(self.log_in('/web/login', redirect=redirect))
                # A user who is already logged in is redirected at once.
                page = self.url_open(login, allow_redirects=False)
                if page.status_code == 200:
                    # The field with the redirect; a website has the URL of its own page elsewhere.
                    self.assertNotRegex(page.text, r'name="redirect"[^>]*evil')
                else:
                    self.assertStaysHere(page)

    def assertStaysHere(self, response):
        # As a browser reads it (WHATWG URL §4.4).
        path = re.sub(r'[\t\r\n]', '', self.get_path(response).replace('\\', '/'))
        self.assertRegex(path, r'\A/(?!/)')

    def test_s11_secret_inside_a_program(self):
        """RFC 8252 §8.5, §8.6: on the user's device, a secret does not prove the identity of an application."""
        self.authenticate('mitchell', PASSWORD)
        for uri in (
            'http://127.0.0.1:5000/callback',
            'https://localhost/callback',
            'http://localhost.localdomain/callback',
            'com.example.app:/callback',
        ):
            self.application.uri_ids.uri = uri
            for trusted in (False, True):
                self.application.trusted = trusted
                for _time in range(2):
                    with self.subTest(uri=uri, trusted=trusted):
                        page = self.authorize(self.get_request())
                        self.assertEqual(page.status_code, 200)
                        self.get_response(self.decide(page))
        self.application.trusted = False
        # For an application on a server, the consent is stored.
        self.application.uri_ids.uri = 'https://wiki.example.com/callback'
        self.get_response(self.authorize(self.get_request()))
