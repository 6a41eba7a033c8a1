import html
import re
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import psycopg2

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..dispatchers.headers import PAGE
from .common import CALLBACK, PASSWORD, OAuth2Case


@tagged('post_install', '-at_install')
class TestAuthorizeResponse(OAuth2Case):
    """Responses to requests of a known client with a good redirect URI, which are sent there."""

    def setUp(self):
        super().setUp()
        self.authenticate('mitchell', PASSWORD)

    def ask(self, *pairs, **changes):
        return self.authorize([*self.get_request(**changes).items(), *pairs])

    def assertRedirected(self, response, uri=CALLBACK):
        """Assert a redirect to the application that no cache keeps and no referrer leaks."""
        self.assertEqual(response.status_code, 303, response.text)
        self.assertEqual(response.headers['Location'].partition('?')[0], uri)
        self.assertNotIn('#', response.headers['Location'])
        self.assertLessEqual(PAGE.items(), dict(response.headers).items())
        self.assertFalse(response.text)

    def assertErrorRedirected(self, response, error, state='state of the application'):
        """Assert an error response of RFC 6749 §4.1.2.1 with `iss` (RFC 9207 §2), and that it left no code."""
        self.assertRedirected(response)
        self.assertError(self.get_response(response), error, state)

    def assertError(self, parameters, error, state='state of the application'):
        description = parameters.pop('error_description')
        self.assertRegex(description, r'\A[\x20-\x21\x23-\x5b\x5d-\x7e]+\Z')
        expected = {'error': error, 'iss': 'https://odoo.example.com'}
        if state is not None:
            expected['state'] = state
        self.assertEqual(parameters, expected)
        self.assertNothingGranted()

    def assertErrors(self, error, *changes):
        for change in changes:
            with self.subTest(change=change):
                self.assertErrorRedirected(self.ask(**change), error)

    def assertAsked(self, response):
        """Assert that the request is good: the user sees the consent page."""
        self.get_form(response)

    def test_n039_response_type_missing(self):
        self.assertErrors('invalid_request', {'response_type': None}, {'response_type': ''})

    def test_n040_response_type_unsupported(self):
        response_types = ('token', 'id_token', 'code token', 'code id_token', 'none', 'CODE', ' code', 'code ')
        self.assertErrors('unsupported_response_type', *({'response_type': name} for name in response_types))

    def test_n041_parameter_repeated(self):
        for name in ('response_type', 'scope', 'state', 'code_challenge', 'code_challenge_method'):
            good = self.get_request()[name]
            for value in (good, 'other', ''):
                with self.subTest(name=name, value=value):
                    # Nobody can know which of two states is right.
                    expected = None if name == 'state' else 'state of the application'
                    self.assertErrorRedirected(self.ask((name, value)), 'invalid_request', expected)

    def test_n042_grant_not_allowed(self):
        client = self.env['orestapi.application']._find_client('wiki-client')
        # Every application may use codes, until a setting says otherwise.
        client = type(client)(**{**vars(client), 'grant_types': frozenset({'client_credentials'})})
        with patch.object(self.env.registry['orestapi.application'], '_find_client', lambda self, client_id: client):
            self.assertErrorRedirected(self.ask(), 'unauthorized_client')

    def test_n043_scope_unknown(self):
        scopes = ('unknown', 'read unknown', 'READ', 'rea', 'read,rpc', 'read+rpc')
        self.assertErrors('invalid_scope', *({'scope': scope} for scope in scopes))

    def test_n044_scope_not_of_the_application(self):
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertErrors('invalid_scope', {'scope': 'rpc'}, {'scope': 'read rpc'})
        self.application.scope_ids = False
        self.assertErrors('invalid_scope', {'scope': 'read'}, {'scope': None})

    def test_n045_scope_malformed(self):
        scopes = (
            'read"',
            'read\\',
            'read\n',
            'read\trpc',
            'réad',
            'read\x7f',
            'read\u2003rpc',
            '"',
            ' '.join(['read'] * 10_000),
        )
        self.assertErrors('invalid_scope', *({'scope': scope} for scope in scopes))

    def test_p08_blanks_in_the_scope(self):
        for text in ('read  rpc', ' read rpc', 'read rpc  '):
            with self.subTest(text=text):
                self.assertAsked(self.ask(scope=text))
        self.assertAsked(self.ask(scope='  '))

    def test_n046_scope_as_array(self):
        for name in (
            'scope[a]',
            'scope[]',
            'state[]',
            'response_type[0]',
            'code_challenge[]',
            'code_challenge_method[]',
        ):
            with self.subTest(name=name):
                self.assertErrorRedirected(self.ask((name, 'read')), 'invalid_request')

    def test_n047_challenge_missing(self):
        change = {'code_challenge': None, 'code_challenge_method': None}
        self.assertErrors('invalid_request', change, {'code_challenge': '', 'code_challenge_method': ''})
        self.application.require_pkce = False
        self.assertAsked(self.ask(**change))
        # The setting is for confidential applications: a public one must always use PKCE.
        self.application.write({'client_secret': False, 'client_type': 'public'})
        self.assertErrors('invalid_request', change)

    def assertRefusedChallenges(self, *changes):
        """Assert that malformed PKCE is refused, also where the application may leave PKCE out."""
        for required in (True, False):
            with self.subTest(required=required):
                self.application.require_pkce = required
                self.assertErrors('invalid_request', *changes)

    def test_n048_method_plain(self):
        self.assertRefusedChallenges({'code_challenge_method': 'plain'})

    def test_n049_method_missing(self):
        self.assertRefusedChallenges({'code_challenge_method': None}, {'code_challenge_method': ''})

    def test_n050_method_unknown(self):
        methods = ('S512', 's256', 'S256 ', 'PLAIN', 'SHA256', 'none')
        self.assertRefusedChallenges(*({'code_challenge_method': method} for method in methods))

    def test_n051_challenge_malformed(self):
        good = self.get_request()['code_challenge']
        challenges = (
            good[:-1],
            good + 'A',
            good + '=',
            good[:-1] + '=',
            good[:-1] + '+',
            good[:-1] + '/',
            good[:-1] + '.',
            good + '\n',
            good[:-1] + 'ä',
            'a',
            'a' * 10_000,
        )
        self.assertRefusedChallenges(*({'code_challenge': challenge} for challenge in challenges))

    def test_n052_method_without_challenge(self):
        self.assertRefusedChallenges({'code_challenge': None}, {'code_challenge': ''})

    def test_n053_user_refuses(self):
        for decision in ('deny', '', 'Allow', 'allow '):
            with self.subTest(decision=decision):
                self.assertErrorRedirected(self.decide(self.ask(), decision), 'access_denied')
        event = self.env['orestapi.event'].search([], limit=1)
        self.assertEqual(event.kind, 'consent_refused')
        self.assertEqual((event.application_id, event.user_id), (self.application, self.user))

    def assertNotAllowedPage(self, response):
        """Assert the error page, whose link returns `access_denied` to the application."""
        self.assertEqual(response.status_code, 403, response.text)
        self.assertNotIn('Location', response.headers)
        self.assertLessEqual(PAGE.items(), dict(response.headers).items())
        back = html.unescape(re.search(rf'href="({re.escape(CALLBACK)}[^"]*)"', response.text)[1])
        self.assertError(dict(parse_qsl(urlsplit(back).query)), 'access_denied')

    def test_n054_user_not_permitted(self):
        page = self.ask()
        group = self.env['res.groups'].create({'name': "Writers of the wiki"})
        self.application.group_ids = group
        self.assertNotAllowedPage(self.ask())
        # The user loses the group while the page is open.
        self.assertNotAllowedPage(self.decide(page))
        # Neither Trusted nor an earlier consent helps.
        self.application.trusted = True
        self.assertNotAllowedPage(self.ask())
        self.user.group_ids += group
        self.assertIn('code', self.get_response(self.ask()))
        self.env['orestapi.authorization'].search([]).unlink()
        # By default, the portal may not.
        self.application.group_ids = self.env.ref('base.group_user')
        self.authenticate('joel', PASSWORD)
        self.assertNotAllowedPage(self.ask())

    # Odoo logs the exception, which the administrator needs.
    @mute_logger('odoo.http', 'odoo.service.model')
    def assertExceptionRedirected(self, exception, error):
        code = self.env.registry['orestapi.authorization.code']
        form = self.ask()
        with patch.object(code, '_issue', side_effect=exception):
            self.assertErrorRedirected(self.decide(form), error)
        authorization = self.env.registry['orestapi.authorization']
        with patch.object(authorization, '_find_granted_scope', side_effect=exception):
            self.assertErrorRedirected(self.ask(), error)
            # Before the redirect URI is checked, there is nowhere to report it to.
            self.assertEqual(self.ask(redirect_uri='https://evil.example/').status_code, 400)

    def test_n055_internal_exception(self):
        for exception in (ValueError("a defect"), KeyError('code'), psycopg2.DataError("too long")):
            with self.subTest(exception=exception):
                self.assertExceptionRedirected(exception, 'server_error')

    def test_n056_overload(self):
        self.assertExceptionRedirected(psycopg2.OperationalError("too many connections"), 'temporarily_unavailable')

    def test_n057_request_object_is_ignored(self):
        self.assertAsked(self.ask(('request', 'eyJhbGciOiJub25lIn0.e30.')))
        self.assertAsked(self.ask(('request_uri', 'https://evil.example/request')))

    def test_n058_resource_is_ignored(self):
        for resource in ('https://api.example', '/relative', 'https://api.example#fragment'):
            with self.subTest(resource=resource):
                self.assertAsked(self.ask(('resource', resource), ('resource', resource)))

    def test_n059_unknown_parameters_are_ignored(self):
        for name in (
            'nonce',
            'prompt',
            'response_mode',
            'utm_source',
            'Scope',
            'x[y]',
            '[]',
            '',
            'é',
            # Parameters that might disturb Odoo itself.
            'self',
            'cls',
            'args',
            'kwargs',
            'endpoint',
            'request',
            'csrf_token',
            'db',
            'consent',
            'decision',
        ):
            with self.subTest(name=name):
                self.assertAsked(self.ask((name, 'allow')))
                self.assertAsked(self.ask((name, 'allow'), (name, 'twice')))
        self.assertFalse(self.env['orestapi.authorization.code'].search([]))

    def test_n060_empty_is_omitted(self):
        self.application.require_pkce = False
        page = self.ask(redirect_uri='', scope='', state='', code_challenge='', code_challenge_method='')
        response = self.decide(page)
        self.assertRedirected(response)
        self.assertEqual(set(self.get_response(response)), {'code', 'iss'})
        code = self.env['orestapi.authorization.code'].search([])
        self.assertEqual((code.scope, code.redirect_uri_sent, code.sudo().code_challenge), ('read', False, False))

    def test_n061_registered_query_is_kept(self):
        uri = CALLBACK + '?state=fixed&x=1&y=%2F+%20'
        self.application.uri_ids.uri = uri
        response = self.decide(self.ask(redirect_uri=uri))
        self.assertRedirected(response)
        self.assertTrue(response.headers['Location'].startswith(CALLBACK + '?x=1&y=%2F+%20&code='))
        parameters = self.get_response(response)
        self.assertEqual(set(parameters), {'x', 'y', 'code', 'state', 'iss'})
        self.assertEqual(parameters['state'], 'state of the application')

    def test_n062_state_comes_back_unchanged(self):
        self.application.trusted = True
        for state in (
            'a&b=c#d%e+f g',
            '&=#%',
            '%2B%26',
            '😀 é \u202e \ufeff',
            'x\r\nSet-Cookie: evil=1',
            '\t',
            '"><script>',
            "' OR 1=1 --",
            '[]{}|\\^`',
            's' * 8192,
            'é' * 4096,
            '0',
            'null',
            '\x01\x7f',
        ):
            with self.subTest(state=state[:20]):
                response = self.ask(state=state)
                self.assertRedirected(response)
                self.assertTrue(response.headers['Location'].isascii())
                self.assertTrue(response.headers['Location'].isprintable())
                self.assertEqual(self.get_response(response)['state'], state)
                self.assertNotIn('Set-Cookie', response.headers)
                error = self.ask(state=state, response_type=None)
                self.assertEqual(self.get_response(error)['state'], state)

    def test_n063_consent_is_not_forwarded(self):
        page = self.ask()
        _action, fields = self.get_form(page)
        for decision in ('deny', 'allow'):
            with self.subTest(decision=decision):
                response = self.decide(page, decision)
                self.assertRedirected(response)
                for value in fields.values():
                    with self.subTest(value=value):
                        self.assertNotIn(value, response.headers['Location'])

    def test_n064_success(self):
        issuer = self.url_open('/.well-known/oauth-authorization-server').json()['issuer']
        response = self.decide(self.ask())
        self.assertRedirected(response)
        parameters = self.get_response(response)
        self.assertEqual(set(parameters), {'code', 'state', 'iss'})
        self.assertEqual(parameters['state'], 'state of the application')
        self.assertEqual(parameters['iss'], issuer)
        # The stored values are worthless to a thief.
        code = self.env['orestapi.authorization.code'].search([])
        self.assertNotIn(code.sudo().digest, parameters['code'])
        self.assertEqual(self.redeem(parameters['code']).status_code, 200)

    def test_n065_issuers_differ(self):
        """`iss` distinguishes two databases, whichever host the browser uses."""
        seen = set()
        for issuer in ('https://odoo.example.com', 'https://odoo.example.org'):
            self.env['ir.config_parameter'].set_param('orestapi.issuer', issuer)
            metadata = self.url_open('/.well-known/oauth-authorization-server').json()
            for case, response in enumerate((self.ask(scope='unknown'), self.decide(self.ask()))):
                with self.subTest(issuer=issuer, case=case):
                    # The comparison of a strict client (RFC 9207 §2.4).
                    self.assertEqual(self.get_response(response)['iss'], metadata['issuer'])
            seen.add(metadata['issuer'])
            self.env['orestapi.authorization'].search([]).unlink()
        self.assertEqual(len(seen), 2)
