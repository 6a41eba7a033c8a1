from psycopg2 import errorcodes

from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import CLIENT_SECRET, PASSWORD, OAuth2Case

#: A token of the right form that was never issued.
UNKNOWN = 'orestapi_at_1_' + 'x' * 43


@tagged('post_install', '-at_install')
class TestRevoke(OAuth2Case):
    """Token revocation (RFC 7009)."""

    def revoke(self, token, application=None, auth=True, **changes):
        """POST /oauth2/revoke."""
        application = application or self.application
        parameters = {'token': token, **changes}
        if application.client_type == 'public' and auth is True:
            parameters.setdefault('client_id', application.client_id)
            auth = None
        elif auth is True:
            auth = self.get_auth(application)
        return self.post(
            '/oauth2/revoke', {name: value for name, value in parameters.items() if value is not None}, auth
        )

    def assertRevoked(self, response):
        """Assert the only response to a revocation that is not refused (RFC 7009 §2.2)."""
        self.assertEqual((response.status_code, response.text), (200, '{}'))
        self.assertEqual(response.headers['Content-Type'], 'application/json')
        self.assertNoStore(response)

    def assertBothActive(self, tokens, application=None):
        self.assertActive(tokens['access_token'], tokens['refresh_token'], application=application)

    def assertBothInactive(self, tokens, application=None):
        self.assertInactive(tokens['access_token'], tokens['refresh_token'], application=application)

    def test_p02_answer_is_json(self):
        """Libraries parse the response as JSON, and failed after the sign-in was ended."""
        tokens = self.sign_in()
        for token in (tokens['access_token'], 'unknown'):
            with self.subTest(token=token):
                self.assertEqual(self.revoke(token).json(), {})

    def test_p02_no_type_without_content(self):
        self.authenticate('mitchell', PASSWORD)
        responses = [
            self.url_open(path, method='OPTIONS', allow_redirects=False)
            for path in ('/oauth2/token', '/oauth2/revoke', '/oauth2/authorize', '/orestapi/1/models')
        ]
        responses.append(self.authorize(self.get_request(), headers={'Sec-Purpose': 'prefetch'}))
        responses.append(self.authorize(self.get_request(scope='nothing')))
        responses.append(self.decide(self.authorize(self.get_request())))
        self.authenticate(None, None)
        responses.append(self.authorize(self.get_request()))
        self.assertEqual([response.status_code for response in responses], [204] * 5 + [303] * 3)
        for case, response in enumerate(responses):
            with self.subTest(case=case):
                self.assertEqual(response.content, b'')
                self.assertNotIn('Content-Type', response.headers)

    def test_n158_only_post(self):
        tokens = self.sign_in()
        for method in ('GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'):
            with self.subTest(method=method):
                response = self.url_open('/oauth2/revoke?token=' + tokens['access_token'], method=method)
                self.assertEqual(response.status_code, 405)
                self.assertIn('POST', response.headers['Allow'])
                self.assertNotIn(method, response.headers['Allow'])
        self.assertBothActive(tokens)

    def test_n159_token_missing(self):
        # RFC 6749 §3.2: a parameter without a value counts as missing.
        for token in (None, ''):
            with self.subTest(token=token):
                self.assertOAuth2Error(self.revoke(token), 400, 'invalid_request')

    def test_n160_client_authentication(self):
        tokens = self.sign_in()
        client_id = self.application.client_id
        for auth, changes in [
            (None, {}),
            (None, {'client_id': client_id}),
            (None, {'client_id': client_id, 'client_secret': 'wrong'}),
            (None, {'client_id': client_id, 'client_secret': ''}),
            (None, {'client_secret': CLIENT_SECRET}),
            ((client_id, 'wrong'), {}),
            ((client_id, ''), {}),
            (('unknown-client', CLIENT_SECRET), {}),
        ]:
            with self.subTest(auth=auth, changes=changes):
                response = self.revoke(tokens['access_token'], auth=auth, **changes)
                self.assertInvalidClient(response)
        self.assertBothActive(tokens)

    def test_n161_not_a_valid_token(self):
        ended, expired = self.sign_in(), self.sign_in()
        self.assertRevoked(self.revoke(ended['refresh_token']))
        strings = {
            'unknown': UNKNOWN,
            'malformed': 'no token',
            'unicode': 'téken',
            'of a row that is none': UNKNOWN.replace('_1_', '_9999999999_'),
            'a client secret': CLIENT_SECRET,
            'revoked access token': ended['access_token'],
            'revoked refresh token': ended['refresh_token'],
            'forged refresh token': f'{expired["refresh_token"].rsplit("_", 2)[0]}_{"x" * 43}_{"x" * 43}',
        }
        for name, string in strings.items():
            with self.subTest(name):
                self.assertRevoked(self.revoke(string))
        self.assertBothActive(expired)
        with self.later(seconds=3600):
            self.assertRevoked(self.revoke(expired['access_token']))

    def test_n161_revoked_is_logged_once(self):
        tokens = self.sign_in()
        for _attempt in range(2):
            self.revoke(tokens['access_token'])
        events = self.env['orestapi.event'].search([('kind', '=', 'token_revoked')])
        self.assertEqual((events.application_id, events.user_id), (self.application, self.user))
        sign_in = self.env['orestapi.token'].search([('user_id', '=', self.user.id)])
        self.assertEqual(sign_in.revoked_reason, 'application')
        self.assertTrue(sign_in.revoked_at)

    def test_n162_token_of_another_application(self):
        """It gets the same response as an unknown token, so that nobody can probe; the token keeps working."""
        tokens, public = self.sign_in(), self.sign_in(self.public)
        for token in (*tokens.values(), public['access_token'], public['refresh_token']):
            with self.subTest(token=token):
                self.assertRevoked(self.revoke(str(token), self.other))
        self.assertBothActive(tokens)
        self.assertEqual(self.refresh(public['refresh_token'], self.public).status_code, 200)

    def test_n163_public_application(self):
        tokens, confidential = self.sign_in(self.public, scope='rpc'), self.sign_in()
        for client_id in (None, 'unknown-client', self.application.client_id):
            with self.subTest(client_id=client_id):
                self.assertInvalidClient(self.revoke(tokens['access_token'], auth=None, client_id=client_id))
        # A public application must not claim to be confidential either.
        self.assertInvalidClient(self.revoke(tokens['access_token'], auth=(self.public.client_id, CLIENT_SECRET)))
        self.assertRevoked(self.revoke(confidential['refresh_token'], self.public))
        self.assertBothActive(confidential)
        self.assertEqual(self.call_json2(tokens['access_token']).status_code, 200)
        self.assertRevoked(self.revoke(tokens['access_token'], self.public))
        self.assertEqual(self.call_json2(tokens['access_token']).status_code, 401)

    def test_n164_wrong_hint(self):
        for name, hint in (('access_token', 'refresh_token'), ('refresh_token', 'access_token')):
            with self.subTest(name):
                tokens = self.sign_in()
                self.assertRevoked(self.revoke(tokens[name], token_type_hint=hint))
                self.assertBothInactive(tokens)

    def test_n165_unknown_hint(self):
        tokens = self.sign_in()
        self.assertRevoked(self.revoke(tokens['access_token'], token_type_hint='saml2'))
        self.assertBothInactive(tokens)

    def test_n166_refresh_token(self):
        """All tokens of the sign-in end with it, and no token of another sign-in."""
        tokens, elsewhere = self.sign_in(scope='rpc'), self.sign_in()
        refreshed = self.refresh(tokens['refresh_token']).json()
        self.assertRevoked(self.revoke(refreshed['refresh_token']))
        self.assertInactive(tokens['access_token'])
        self.assertBothInactive(refreshed)
        for access_token in (tokens['access_token'], refreshed['access_token']):
            with self.subTest(access_token=access_token):
                self.assertEqual(self.call_json2(access_token).status_code, 401)
        self.assertOAuth2Error(self.refresh(refreshed['refresh_token']), 400, 'invalid_grant')
        self.assertBothActive(elsewhere)

    def test_n166_refresh_token_of_an_earlier_generation(self):
        """An application may have lost the answer to its last refresh and still sign the user out."""
        tokens = self.sign_in()
        refreshed = self.refresh(tokens['refresh_token']).json()
        self.assertRevoked(self.revoke(tokens['refresh_token']))
        self.assertBothInactive(refreshed)

    def test_n167_access_token(self):
        """The refresh token dies too: an application that signs a user out sends either (RFC 7009 §2.1)."""
        tokens = self.sign_in()
        self.assertRevoked(self.revoke(tokens['access_token']))
        self.assertBothInactive(tokens)
        self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')

    def test_n168_revoke_twice_and_refresh(self):
        """One after the other; the live tests do it at once."""
        tokens = self.sign_in()
        for _attempt in range(2):
            self.assertRevoked(self.revoke(tokens['refresh_token']))
        self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')
        self.assertBothInactive(tokens)

    def test_n169_server_cannot_process(self):
        """The client must take the token for valid and try again (RFC 7009 §2.2.1)."""
        tokens = self.sign_in()
        # Simulates a full disk for this table.
        self.env.cr.execute(
            SQL(
                """
                CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = %s; END $$;
                CREATE TRIGGER fail BEFORE UPDATE ON orestapi_token FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()
                """,
                errorcodes.DISK_FULL,
            )
        )
        # Odoo logs the database error, as it should.
        with mute_logger('odoo.http', 'odoo.sql_db'):
            response = self.revoke(tokens['access_token'])
        self.assertOAuth2Error(response, 503, 'temporarily_unavailable')
        self.assertEqual(response.headers['Retry-After'], '5')
        self.env.cr.execute("DROP TRIGGER fail ON orestapi_token")
        self.assertBothActive(tokens)

    def test_n170_repeated_parameter(self):
        tokens, elsewhere = self.sign_in(), self.sign_in()
        for pairs in (
            [('token', tokens['access_token']), ('token', elsewhere['access_token'])],
            [('token', tokens['access_token']), ('token', tokens['access_token'])],
            [('token', tokens['access_token']), ('token_type_hint', 'x'), ('token_type_hint', 'y')],
            [('token', tokens['access_token']), ('token[]', elsewhere['access_token'])],
        ):
            with self.subTest(pairs=[name for name, _value in pairs]):
                self.assertOAuth2Error(self.post('/oauth2/revoke', pairs, self.get_auth()), 400, 'invalid_request')
        self.assertBothActive(tokens)
        self.assertBothActive(elsewhere)

    def test_n171_no_csrf_token(self):
        """It works for a program without a session; the session of a browser is ignored."""
        tokens = self.sign_in()
        self.authenticate('mitchell', None)
        response = self.url_open(
            '/oauth2/revoke', {'token': tokens['access_token']}, headers={'Authorization': 'Basic Og=='}
        )
        self.assertInvalidClient(response)
        self.assertBothActive(tokens)
        self.assertRevoked(self.revoke(tokens['access_token']))
        self.assertBothInactive(tokens)

    def test_a04_revoke_tokens(self):
        """The action of the lists asks first, tells how many people it concerns, and reports the result."""
        for model, counts in (
            ('orestapi.token', "Sign-ins that end: 3. People: 2. Applications: 2."),
            ('orestapi.authorization', "People: 2. Applications: 2. Sign-ins that end: 3."),
        ):
            with self.subTest(model=model):
                tokens = [self.sign_in(), self.sign_in(self.other), self.sign_in(user=self.administrator)]
                ended = self.sign_in(self.other)
                self.call_xmlrpc(
                    self.administrator,
                    'orestapi.token',
                    'action_revoke',
                    self.env['orestapi.token'].search([], order='id desc', limit=1).ids,
                )
                records = self.env[model].with_user(self.administrator).search([])
                server_action = self.env.ref(
                    f'{model.replace(".", "_").replace("orestapi_", "orestapi.orestapi_", 1)}_action_revoke'
                )
                action = (
                    server_action
                    .with_user(self.administrator)
                    .with_context(active_model=model, active_ids=records.ids, active_id=records[0].id)
                    .run()
                )
                self.assertEqual(action['tag'], 'orestapi_ask')
                self.assertIn(counts, action['params']['body'])
                # Asking ends nothing.
                self.assertActive(tokens[0]['access_token'], tokens[2]['access_token'])
                self.assertInactive(ended['access_token'], application=self.other)
                params = action['params']
                answer = self.call_xmlrpc(self.administrator, params['model'], params['method'], params['ids'])
                self.assertEqual(answer['tag'], 'display_notification')
                self.assertIn("ended: 3.", answer['params']['message'])
                self.assertInactive(*(pair['access_token'] for pair in tokens))
        self.assertFalse(self.env['orestapi.authorization'].search([]))

    def test_a04_nothing_to_revoke(self):
        self.sign_in()
        sign_ins = self.env['orestapi.token'].search([])
        sign_ins.action_revoke()
        action = self.call_xmlrpc(self.administrator, 'orestapi.token', 'action_ask_revoke', sign_ins.ids)
        self.assertEqual(action['tag'], 'display_notification')

    def test_a20_loss(self):
        """People are counted once, however many devices they have; people of other applications are not counted."""
        for application, user in (
            (self.application, self.user),
            (self.application, self.user),
            (self.application, self.administrator),
            (self.other, self.user),
            (self.public, self.user),
        ):
            self.sign_in(application, user)
        for applications, counts in (
            (self.application, "People who lose access: 2. Their sign-ins: 3. Applications: 1."),
            (self.application + self.other, "People who lose access: 2. Their sign-ins: 4. Applications: 2."),
        ):
            with self.subTest(applications=applications):
                loss = self.call_xmlrpc(self.administrator, 'orestapi.application', 'get_loss', applications.ids)
                self.assertEqual({*loss}, {'archive', 'delete'})
                for sentence in loss.values():
                    with self.subTest(sentence=sentence):
                        self.assertIn(counts, sentence)
        # Nobody can lose access that is lost already.
        self.application.refresh_token_expiry = 60
        with self.later(seconds=61):
            self.assertIn("access: 2. Their sign-ins: 0.", self.application.get_loss()['archive'])
        self.application.refresh_token_expiry = 0
        self.assertIn("access: 2. Their sign-ins: 3.", self.application.get_loss()['archive'])
        self.user.active = False
        self.assertIn("access: 1. Their sign-ins: 1.", self.application.get_loss()['archive'])
