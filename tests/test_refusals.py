import ast
from pathlib import Path
from urllib.parse import urlencode

from odoo.modules import get_module_path
from odoo.tests import tagged

from ..models.orestapi_event_sentences import REFUSALS
from ..oauth2 import errors, tokens
from ..oauth2.grants.authorization_code import VERIFIER_LIMIT
from ..oauth2.redirect_uris import Difference
from ..openid import errors as openid_errors
from .common import CALLBACK, CLIENT_SECRET, PASSWORD, WRONG_SECRET, OAuth2Case
from .oauth2_client import VERIFIER, get_basic

OTHER_VERIFIER = VERIFIER[::-1]
NEVER_SHOWN = (
    CLIENT_SECRET,
    WRONG_SECRET,
    VERIFIER,
    OTHER_VERIFIER,
    'orestapi_rt_1',
    'orestapi_ac_1',
    'secret-in-query',
)


@tagged('post_install', '-at_install')
class TestRefusals(OAuth2Case):
    """ "It is configured on both sides and I cannot authenticate: why?" The events answer, with a remedy."""

    def setUp(self):
        super().setUp()
        self.seen = self.env['orestapi.event'].search([])

    def assertLogged(self, reason, *words, application=None, user=None):
        """Assert that there is one new event, its text, and that it contains no secret.

        :param words: texts that its sentence contains
        """
        events = self.env['orestapi.event'].search([]) - self.seen
        self.seen |= events
        events = events.filtered(
            lambda event: event.kind.endswith(('refused', 'failed')) and event.kind != 'consent_refused'
        )
        self.assertEqual(events.mapped('reason'), [reason])
        self.assertEqual(events.application_id, self.application if application is None else application)
        self.assertEqual(events.user_id, user or self.env['res.users'])
        self.assertTrue(events.remedy)
        for word in words:
            with self.subTest(word=word):
                self.assertIn(word, events.message)
        shown = ' '.join(str(value) for value in events.read()[0].values())
        for secret in NEVER_SHOWN:
            with self.subTest(secret=secret):
                self.assertNotIn(secret, shown)
        return events

    # The authorization endpoint

    def ask(self, **changes):
        return self.authorize(self.get_request(**changes))

    def test_a08_redirect_uri(self):
        for uri, reason, word in (
            (CALLBACK + '/', 'redirect_uri_slash', f"only by the closing slash from {CALLBACK}."),
            ('http://wiki.example.com/callback', 'redirect_uri_scheme', "only by the scheme"),
            ('https://wiki.example.com/Callback', 'redirect_uri_case', "upper and lower case"),
            ('https://wiki.example.com:8443/callback', 'redirect_uri_port', "only by the port"),
            ('https://www.wiki.example.com/callback', 'redirect_uri_www', "\"www.\""),
            (CALLBACK + ' ', 'redirect_uri_blank', "space"),
            (CALLBACK + '?token=secret-in-query', 'redirect_uri_query', f"return to {CALLBACK}, which"),
            (CALLBACK + '#secret-in-query', 'redirect_uri_fragment', f"return to {CALLBACK}, which"),
            ('https://evil.example/callback', 'redirect_uri_host', "https://evil.example/callback"),
            ('https://u:secret-in-query@evil.example/x', 'redirect_uri', "https://evil.example/x, which is not one"),
            ('javascript:alert(1)', 'redirect_uri', "javascript:alert(1)"),
            ('https://evil.example/\u202egnp.x', 'redirect_uri', "https://evil.example/�gnp.x"),
            ('https://evil.example/' + 'x' * 3000, 'redirect_uri', "xxx…"),
        ):
            with self.subTest(uri=uri[:80]):
                self.assertEqual(self.ask(redirect_uri=uri).status_code, 400)
                event = self.assertLogged(reason, word)
                self.assertLess(len(event.message), 600)
                # The page shows the reference; the event is found by it.
                self.assertTrue(event.reference)

    def test_a08_no_redirect_uri(self):
        self.application.uri_ids = [(0, 0, {'uri': CALLBACK + '2'})]
        self.seen = self.env['orestapi.event'].search([])
        self.ask(redirect_uri=None)
        self.assertLogged('redirect_uri_missing')
        self.application.uri_ids.unlink()
        self.seen = self.env['orestapi.event'].search([])
        self.ask(redirect_uri=CALLBACK)
        self.assertLogged('redirect_uri_none', CALLBACK)

    def test_a08_unknown_client_id(self):
        none = self.env['orestapi.application']
        self.ask(client_id='nobody')
        self.assertLogged('client_id', "\"nobody\"", application=none)
        self.ask(client_id='n\u202eb\n' + 'x' * 500)
        event = self.assertLogged('client_id', "\"n�b�xxx", application=none)
        self.assertLessEqual(len(event.sent), 20)
        self.ask(client_id=CLIENT_SECRET)
        self.assertLogged('client_id', application=none)
        self.ask(client_id=None)
        self.assertLogged('parameter_missing', "client_id", application=none)

    def test_a08_archived(self):
        self.application.active = False
        self.seen = self.env['orestapi.event'].search([])
        self.ask()
        self.assertLogged('application_archived', "Wiki was refused from 127.0.0.1, because it is archived.")
        self.assertInvalidClient(self.post('/oauth2/token', {'grant_type': 'x'}, self.get_auth()))
        self.assertLogged('application_archived', "Wiki")

    def test_a08_refused_by_redirect(self):
        """Errors about PKCE or scope are reported to the application, and logged for the administrator."""
        self.authenticate(self.user.login, PASSWORD)
        self.env['orestapi.scope'].create({'name': 'calendar', 'description': "Calendar"})
        for changes, reason, word in (
            ({'code_challenge': None, 'code_challenge_method': None}, 'pkce_missing', "PKCE"),
            ({'code_challenge': None}, 'pkce_challenge_missing', "PKCE"),
            ({'code_challenge': VERIFIER, 'code_challenge_method': 'plain'}, 'pkce_method', "\"plain\""),
            ({'code_challenge_method': None}, 'pkce_method', "\"plain\""),
            ({'code_challenge': VERIFIER + 'x'}, 'pkce_challenge_malformed', "code_challenge"),
            ({'scope': 'calendar read'}, 'scope_not_allowed', "\"calendar\", but may only ask for \"read rpc\""),
            ({'scope': 'read,"rpc"'}, 'scope_malformed', "read,\"rpc\""),
            ({'response_type': 'token'}, 'response_type', "\"token\""),
            ({'response_type': None}, 'parameter_missing', "response_type"),
        ):
            with self.subTest(reason):
                self.assertIn('error', self.get_response(self.ask(**changes)))
                self.assertLogged(reason, word, user=self.user)
        self.authorize(urlencode(self.get_request()) + '&scope=x')
        self.assertLogged('parameter_repeated', "scope", user=self.user)

    def test_a08_user(self):
        self.application.group_ids = self.env.ref('base.group_system')
        self.seen = self.env['orestapi.event'].search([])
        self.authenticate(self.user.login, PASSWORD)
        self.assertEqual(self.ask().status_code, 403)
        self.assertLogged('user_not_allowed', "Mitchell may not use Wiki", user=self.user)

    # Client authentication

    def send(self, parameters, **kwargs):
        return self.post('/oauth2/token', {'grant_type': 'x', **parameters}, **kwargs)

    def test_a08_credentials(self):
        none = self.env['orestapi.application']
        good = get_basic('wiki-client', CLIENT_SECRET)
        for parameters, header, reason, application in (
            ({'client_id': 'wiki-client', 'client_secret': WRONG_SECRET}, None, 'secret_wrong', self.application),
            ({'client_id': 'wiki-client'}, None, 'secret_missing', self.application),
            ({'client_id': 'tool-client', 'client_secret': WRONG_SECRET}, None, 'secret_unexpected', self.public),
            (
                {'client_id': CLIENT_SECRET, 'client_secret': 'wiki-client'},
                None,
                'credentials_swapped',
                self.application,
            ),
            ({'client_id': 'wiki-klient', 'client_secret': CLIENT_SECRET}, None, 'client_id', none),
            ({}, None, 'credentials_missing', none),
            ({'client_id': 'wiki-client'}, 'Bearer x', 'header_scheme', self.application),
            ({}, 'Basic !', 'header_malformed', none),
            ({'client_secret': CLIENT_SECRET}, good, 'methods', self.application),
            ({'client_id': 'shop-client'}, good, 'client_ids', self.other),
        ):
            with self.subTest(reason):
                self.send(parameters, headers={'Authorization': header} if header else None)
                self.assertLogged(reason, application=application)
        self.application.action_remove_client_secret()
        self.seen = self.env['orestapi.event'].search([])
        self.send({}, auth=self.get_auth())
        self.assertLogged('secret_none')

    def test_a08_too_many_failures(self):
        """The administrator sees, in one event, why even the right secret is refused."""
        for _number in range(12):
            self.send({}, auth=('wiki-client', WRONG_SECRET))
        self.send({}, auth=self.get_auth())
        events = self.env['orestapi.event'].search([('reason', '=', 'too_many_failures')])
        self.assertEqual(len(events), 1)
        self.assertIn("even correct ones", events.message)

    def test_a08_how_it_is_written(self):
        self.post('/oauth2/token?client_id=wiki-client&client_secret=' + WRONG_SECRET, {})
        self.assertLogged('parameters_in_query')
        self.post(
            '/oauth2/token',
            '{}',
            headers={'Content-Type': 'application/json', 'Authorization': get_basic(*self.get_auth())},
        )
        self.assertLogged('media_type', "application/json")
        self.post('/oauth2/token', {'a': 'x' * 20_000}, self.get_auth())
        self.assertLogged('too_large')
        self.post('/oauth2/revoke', {}, self.get_auth())
        self.assertLogged('parameter_missing', "token")
        self.post('/oauth2/introspect', {'token': 'x', 'client_id': 'tool-client'})
        self.assertLogged('introspection_public', application=self.public)

    def test_a08_legacy_endpoints(self):
        self.application.legacy_connector = True
        self.seen = self.env['orestapi.event'].search([])
        self.url_open('/orestapi/oauth2/authorization?' + urlencode(self.get_request(redirect_uri=CALLBACK + '/')))
        self.assertLogged('redirect_uri_slash')
        query = urlencode({'grant_type': 'password', 'client_id': 'wiki-client', 'client_secret': CLIENT_SECRET})
        self.post(f'/orestapi/oauth2/access_token?{query}', '')
        self.assertLogged('grant_type', "\"password\"")
        self.post('/orestapi/application/status', '')
        self.assertLogged('credentials_missing', application=self.env['orestapi.application'])

    # The token endpoint

    def test_a08_grant(self):
        self.send({}, auth=self.get_auth())
        self.assertLogged('grant_type', "\"x\"")
        self.send({'grant_type': 'client_credentials'}, auth=self.get_auth())
        self.assertLogged('service_user_missing')
        self.send({'grant_type': 'authorization_code'}, auth=self.get_auth())
        self.assertLogged('parameter_missing', "code")

    def test_a08_code(self):
        code = self.get_code()
        for changes, reason, word, user in (
            ({'code': 'x'}, 'code_malformed', "not an authorization code", None),
            ({'code': tokens.render('ac', 1, tokens.generate_secret())}, 'code_unknown', "does not know", None),
            (
                {'redirect_uri': CALLBACK + '/?a=secret-in-query'},
                'redirect_uri_changed',
                f"{CALLBACK}/, but",
                self.user,
            ),
            ({'redirect_uri': None}, 'redirect_uri_left_out', CALLBACK, self.user),
            ({'code_verifier': None}, 'verifier_missing', "Mitchell", self.user),
            ({'code_verifier': 'short'}, 'verifier_malformed', "Mitchell", self.user),
            ({'code_verifier': OTHER_VERIFIER}, 'verifier_wrong', "Mitchell", self.user),
        ):
            with self.subTest(reason):
                changes = {'code': code, **changes}
                self.assertEqual(self.redeem(changes.pop('code'), **changes).status_code, 400)
                self.assertLogged(reason, word, user=user)
        self.redeem(code, self.other)
        self.assertLogged('code_other_application', "Shop", application=self.other, user=self.user)
        self.assertEqual(self.redeem(code).status_code, 200)
        self.redeem(code)  # leaves the event of a theft
        self.seen = self.env['orestapi.event'].search([])
        self.redeem(code)
        self.assertLogged('code_used', user=self.user)

    def test_a08_code_too_late(self):
        self.stop_clock()
        code, revoked, limited = self.get_code(), self.get_code(), self.get_code()
        for _number in range(VERIFIER_LIMIT):
            self.redeem(limited, code_verifier=OTHER_VERIFIER)
        self.seen = self.env['orestapi.event'].search([])
        self.redeem(limited)
        self.assertLogged('verifier_limit', user=self.user)
        with self.later(minutes=10):
            self.redeem(code)
            self.assertLogged('code_expired', user=self.user)
        self.env['orestapi.token']._end_sign_ins(self.user.ids, 'logged_out')
        self.redeem(revoked)
        self.assertLogged('code_revoked', user=self.user)

    def test_a08_verifier_without_challenge(self):
        self.application.require_pkce = False
        code = self.get_code(code_challenge=None, code_challenge_method=None)
        self.seen = self.env['orestapi.event'].search([])
        self.redeem(code)
        self.assertLogged('verifier_unexpected', user=self.user)

    def test_a08_user_at_redemption(self):
        code = self.get_code()
        self.application.group_ids = self.env.ref('base.group_system')
        self.seen = self.env['orestapi.event'].search([])
        self.redeem(code)
        self.assertLogged('user_not_allowed', "Mitchell may not use Wiki", user=self.user)

    def test_a08_refresh_token(self):
        self.stop_clock()
        tokens = self.sign_in()
        refresh_token = tokens['refresh_token']
        for sent, application, reason, user in (
            (tokens['access_token'], self.application, 'refresh_token_malformed', None),
            (
                refresh_token[:-1] + ('A' if refresh_token[-1] != 'A' else 'B'),
                self.application,
                'refresh_token_unknown',
                None,
            ),
            (refresh_token, self.other, 'refresh_token_other_application', self.user),
        ):
            with self.subTest(reason):
                self.refresh(sent, application)
                self.assertLogged(reason, application=application, user=user)
        self.refresh(refresh_token, scope='write')
        self.assertLogged('scope_exceeds', "\"write\", but the user allowed \"read\"", user=self.user)
        self.application.refresh_token_expiry = 60
        self.seen = self.env['orestapi.event'].search([])
        with self.later(minutes=2):
            self.refresh(refresh_token)
            self.assertLogged('refresh_token_expired', "Mitchell", user=self.user)
        self.application.scope_ids = self.env.ref('orestapi.scope_rpc')
        self.seen = self.env['orestapi.event'].search([])
        self.refresh(refresh_token)
        self.assertLogged('scope_gone', "\"read\", but may now only request \"rpc\"", user=self.user)
        self.env['orestapi.token'].search([]).action_revoke()
        self.seen = self.env['orestapi.event'].search([])
        self.refresh(refresh_token)
        self.assertLogged('refresh_token_revoked', "Mitchell", user=self.user)
        self.env['orestapi.authorization'].search([]).unlink()
        self.refresh(refresh_token)
        self.assertLogged('refresh_token_gone')

    def test_a08_refresh_of_a_user_who_left(self):
        tokens = self.sign_in()
        self.application.group_ids = self.env.ref('base.group_system')
        self.seen = self.env['orestapi.event'].search([])
        self.refresh(tokens['refresh_token'])
        self.assertLogged('user_not_allowed', "Mitchell", user=self.user)

    def test_a08_service(self):
        self.application.service_user_id = self.user
        self.application.client_secret = CLIENT_SECRET
        self.seen = self.env['orestapi.event'].search([])
        self.send({'grant_type': 'client_credentials', 'scope': 'write'}, auth=self.get_auth())
        self.assertLogged('scope_not_allowed', "\"write\"")
        self.user.active = False
        self.send({'grant_type': 'client_credentials'}, auth=self.get_auth())
        self.assertLogged('service_user_archived', "Mitchell", user=self.user)

    # All reasons

    def test_a15_every_refusal_is_a_sentence(self):
        """Every error has a reason with a translated sentence for the administrator.

        A new error of the endpoints for applications needs one; otherwise it would be logged as
        `request_refused` with its description.
        """
        classes = {
            name
            for module in (errors, openid_errors)
            for name, value in vars(module).items()
            if isinstance(value, type)
        }
        # What the records API answers, and what tells of no application.
        classes -= {
            'Unauthorized',
            'InvalidToken',
            'InsufficientScope',
            'ServerError',
            'TemporarilyUnavailable',
            'TooManyRequests',
        }
        root = Path(get_module_path('orestapi'))
        files = [
            *root.glob('oauth2/**/*.py'),
            *root.glob('openid/*.py'),
            *root.glob('dispatchers/*.py'),
            *root.glob('controllers/*.py'),
            *root.glob('models/*.py'),
        ]
        used, silent = set(), []
        for file in files:
            if 'record' in file.name or file.name in ('bearer.py', 'userinfo.py'):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', None) == 'reason':
                    used |= self.get_words(node.value)
                elif isinstance(node, ast.FunctionDef) and node.name in ('_get_failure_reason', '_find_meant'):
                    returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
                    used |= {
                        word
                        for value in returned
                        for word in self.get_words(value.elts[-1] if isinstance(value, ast.Tuple) else value)
                    }
                elif isinstance(node, ast.Dict):
                    pairs = zip(node.keys, node.values, strict=True)
                    used |= {
                        word
                        for key, value in pairs
                        if getattr(key, 'value', None) == 'reason'
                        for word in self.get_words(value)
                    }
                node = node.exc if isinstance(node, ast.Raise) else None
                if isinstance(node, ast.Call) and getattr(node.func, 'id', None) in classes:
                    facts = [keyword for keyword in node.keywords if keyword.arg in ('reason', None)]
                    if not facts:
                        silent.append(f'{file.name}:{node.lineno}')
                    used |= {word for fact in facts for word in self.get_words(fact.value)}
        self.assertFalse(silent, "They name no reason for the events.")
        self.assertLessEqual({'pkce_missing', 'secret_wrong', 'credentials_swapped'}, used)
        # Reasons of other events: of changes, and of sign-ins of a service.
        used -= {'set', 'emptied', 'hidden', 'removed', 'service'}
        self.assertLessEqual(used, set(REFUSALS))
        differences = {f'redirect_uri_{difference.value}' for difference in Difference}
        self.assertLessEqual(differences, set(REFUSALS))

    def get_words(self, node):
        """Return the texts that an expression can have as its value."""
        if isinstance(node, ast.IfExp):
            return self.get_words(node.body) | self.get_words(node.orelse)
        return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()

    def test_a15_placeholders(self):
        """Each sentence has only placeholders that have a value."""
        values = self.env['orestapi.event'].new({'kind': 'request_refused'})._get_values()
        for reason, (sentence, remedy) in REFUSALS.items():
            with self.subTest(reason):
                self.assertTrue(sentence._translate(self.env.lang or 'en_US') % values)
                self.assertNotIn('%', self.env._(remedy))
                self.assertRegex(self.env._(remedy), r'\.\Z')
