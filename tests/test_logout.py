import contextlib
import json
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from odoo import fields, http
from odoo.exceptions import ValidationError
from odoo.http import STORED_SESSION_BYTES
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..controllers.authorize import MAX_REQUEST
from ..jose import encoding, jws, key_set
from ..models.res_users_authentication import SESSION_KEY
from ..openid import logout
from .common import PASSWORD
from .test_openid import ISSUER
from .test_openid_login import OpenIDLoginCase

BYE = 'https://wiki.example.com/bye'
ENDPOINT = '/oauth2/logout'


class Receiver:
    """A relying party on this computer: it keeps what is posted, and answers as it is told."""

    def __init__(self):
        self.received = []
        self.answer = 200
        self.headers = {}
        self.delay = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length'])).decode()
                receiver.received.append((self.path, dict(self.headers), body))
                time.sleep(receiver.delay)
                with contextlib.suppress(OSError):
                    self.send_response(receiver.answer)
                    for name, value in receiver.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(b'x' * 1000)

            def do_GET(self):
                receiver.received.append((self.path, dict(self.headers), None))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.origin = f'http://127.0.0.1:{self.server.server_port}'

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def get_tokens(self):
        """Return the logout tokens, from forms that have nothing else in them."""
        return [dict(parse_qsl(body))['logout_token'] for _path, _headers, body in self.received]


class LogoutCase(OpenIDLoginCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.application.post_logout_redirect_uris = BYE
        cls.env['ir.config_parameter'].set_param('orestapi.logout_hosts', '127.0.0.1')
        cls.calls = cls.env['orestapi.logout.call']
        cls.sessions = cls.env['orestapi.logout.session']

    def start_receiver(self, application=None):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        (application or self.application).backchannel_logout_uri = f'{receiver.origin}/logout?a=b'
        return receiver

    def ask_logout(self, method='GET', **parameters):
        if method == 'POST':
            return self.url_open(ENDPOINT, data=parameters, method='POST', allow_redirects=False)
        query = f'?{urlencode(parameters)}' if parameters else ''
        return self.url_open(f'{ENDPOINT}{query}', allow_redirects=False)

    def press(self, page, **changes):
        return self.confirm(page, decision='log_out', **changes)

    def send(self):
        """Run the job, as Odoo does it."""
        self.env.flush_all()
        with patch.object(type(self.env['ir.cron']), '_commit_progress', lambda *_args, **_kwargs: float('inf')):
            self.calls._send_due()

    def get_token_claims(self, token):
        keys = key_set.parse(self.url_open('/oauth2/jwks').json())
        return jws.verify(token, keys, logout.TYPE).claims

    def get_events(self, kind):
        return self.env['orestapi.event'].search([('kind', '=', kind)])

    def assertLoggedIn(self):
        self.assertEqual(self.get_session().uid, self.user.id)

    def assertLoggedOut(self):
        self.assertErrorAtCallback(self.ask(prompt='none'), 'login_required')

    def assertQuestion(self, page):
        self.assertEqual(page.status_code, 200, page.text)
        self.assertIn('value="log_out"', page.text)
        self.assertNotIn('Location', page.headers)
        self.assertLoggedIn()

    def assertStays(self, response):
        """Assert that the browser gets to the page of a user who is logged out, and nowhere else."""
        if response.status_code == 303:
            self.assertEqual(urlsplit(response.headers['Location']).path, ENDPOINT)
            self.assertFalse(urlsplit(response.headers['Location']).query)
            response = self.follow(response)
        self.assertEqual(response.status_code, 200)
        self.assertIn("You are logged out", response.text)


@tagged('post_install', '-at_install')
class TestRelyingPartyLogout(LogoutCase):
    """RP-Initiated Logout 1.0."""

    def get_hint(self, **changes):
        return self.get_tokens(**changes)['id_token']

    def test_n331_hint_of_this_session(self):
        hint = self.get_hint()
        response = self.ask_logout(id_token_hint=hint, post_logout_redirect_uri=BYE, state='s')
        self.assertEqual((response.status_code, response.headers['Location']), (303, f'{BYE}?state=s'))
        self.assertEqual(response.headers['Cache-Control'], 'no-store')
        self.assertLoggedOut()
        # Once more, as by a reload: nobody is logged in any more.
        response = self.ask_logout(id_token_hint=hint, post_logout_redirect_uri=BYE)
        self.assertEqual(response.headers['Location'], BYE)

    def test_n331_expired_hint(self):
        hint = self.get_hint()
        with self.later(days=2):
            response = self.ask_logout(id_token_hint=hint, post_logout_redirect_uri=BYE, client_id='wiki-client')
        self.assertEqual(response.headers['Location'], BYE)

    def test_n331_post(self):
        """The browser sends no cookie along with a form of another site, so that it is sent on to GET."""
        hint = self.get_hint()
        response = self.ask_logout('POST', id_token_hint=hint, post_logout_redirect_uri=BYE, state='s')
        self.assertLoggedIn()
        response = self.follow(response)
        self.assertEqual(response.headers['Location'], f'{BYE}?state=s')
        self.assertLoggedOut()
        response = self.ask_logout('POST', state='s' * MAX_REQUEST)
        self.assertEqual(response.status_code, 413)

    def test_n331_hint_of_another_session(self):
        for changes in ({}, {'application': self.other}):
            hint = self.get_hint(**changes)
            self.log_in()
            with self.subTest(changes=changes):
                self.assertQuestion(self.ask_logout(id_token_hint=hint, post_logout_redirect_uri=BYE))
        # Of somebody else, in the session that had been theirs.
        hint = self.get_hint()
        session = self.get_session()
        session[SESSION_KEY] = {**session[SESSION_KEY], 'uid': self.administrator.id}
        http.root.session_store.save(session)
        self.assertQuestion(self.ask_logout(id_token_hint=hint, post_logout_redirect_uri=BYE))

    def test_n331_pairwise(self):
        self.application.pairwise_subject = True
        hint = self.get_hint()
        response = self.ask_logout(id_token_hint=hint, post_logout_redirect_uri=BYE)
        self.assertEqual(response.headers['Location'], BYE)

    def test_n332_no_hint(self):
        self.log_in()
        page = self.ask_logout()
        self.assertQuestion(page)
        self.assertEqual(page.headers['X-Frame-Options'], 'DENY')
        self.assertEqual(page.headers['Cache-Control'], 'no-store')
        self.assertEqual(self.ask_logout('POST').status_code, 303)
        self.assertLoggedIn()
        self.assertStays(self.press(page))
        self.assertLoggedOut()

    def test_n332_prefetch(self):
        hint = self.get_hint()
        query = urlencode({'id_token_hint': hint, 'post_logout_redirect_uri': BYE})
        for kwargs in ({'method': 'HEAD'}, {'method': 'OPTIONS'}, {'headers': {'Sec-Purpose': 'prefetch'}}):
            with self.subTest(kwargs):
                response = self.url_open(f'{ENDPOINT}?{query}', allow_redirects=False, **kwargs)
                self.assertEqual(response.status_code, 204)
                self.assertLoggedIn()

    def test_n332_wrong_csrf_token(self):
        self.log_in()
        page = self.ask_logout(client_id='wiki-client', post_logout_redirect_uri=BYE)
        self.assertIn("Wiki", page.text)
        for csrf_token in ('', 'x', 'ő', '0' * 40 + 'o9999999999'):
            with self.subTest(csrf_token), mute_logger('odoo.http'):
                response = self.press(page, csrf_token=csrf_token)
                self.assertEqual(response.status_code, 400)
                self.assertLoggedIn()
        # With the button, the user has read for whom it is.
        self.assertEqual(self.press(page).headers['Location'], BYE)
        self.assertLoggedOut()

    def test_n333_uri(self):
        self.application.post_logout_redirect_uris = f'{BYE}\nhttps://wiki.example.com/other?a=b'
        self.other.post_logout_redirect_uris = 'https://shop.example.com/bye'
        for uri in (
            'https://evil.example/', f'{BYE}?a=b', f'{BYE}/', BYE.upper(), 'https://Wiki.example.com/bye', f'{BYE}#a',
            'https://wiki.example.com/other', 'https://shop.example.com/bye', '//evil.example', 'javascript:alert(1)',
            f'{BYE}\n', f'{BYE}\nhttps://wiki.example.com/other?a=b', f'{BYE}%00', '', ' ',
        ):  # fmt: skip
            with self.subTest(uri=uri):
                self.assertStays(
                    self.ask_logout(id_token_hint=self.get_hint(), post_logout_redirect_uri=uri, state='s')
                )
                self.assertLoggedOut()
        response = self.ask_logout(
            id_token_hint=self.get_hint(), post_logout_redirect_uri='https://wiki.example.com/other?a=b', state='s'
        )
        self.assertEqual(response.headers['Location'], 'https://wiki.example.com/other?a=b&state=s')

    def test_n333_no_proof(self):
        for parameters in ({}, {'client_id': 'wiki-client'}, {'client_id': 'unknown'}):
            with self.subTest(parameters):
                self.log_out()
                self.assertStays(self.ask_logout(post_logout_redirect_uri=BYE, **parameters))
                self.log_in()
                page = self.ask_logout(post_logout_redirect_uri=BYE, **parameters)
                self.assertQuestion(page)
                if parameters.get('client_id') != 'wiki-client':
                    self.assertStays(self.press(page))

    def test_n333_repeated(self):
        hint = self.get_hint()
        query = urlencode([
            ('id_token_hint', hint), ('post_logout_redirect_uri', BYE), ('post_logout_redirect_uri', 'https://evil.example'),
        ])  # fmt: skip
        page = self.url_open(f'{ENDPOINT}?{query}', allow_redirects=False)
        self.assertQuestion(page)
        self.assertStays(self.press(page))

    def test_n333_archived(self):
        hint = self.get_hint()
        self.application.active = False
        page = self.ask_logout(id_token_hint=hint, post_logout_redirect_uri=BYE)
        self.assertQuestion(page)
        self.assertStays(self.press(page))

    def test_n334_hint(self):
        good = self.get_hint()
        header, payload, signature = good.split('.')
        claims = json.loads(encoding.decode(payload))

        def sign(typ=None, **changes):
            key = self.env['orestapi.signing.key']._get_private_key('RS256')
            return jws.sign({**claims, **changes}, key, typ)

        unsigned = encoding.encode(json.dumps({'alg': 'none'}).encode())
        for name, hint, parameters in (
            ('alg none', f'{unsigned}.{payload}.', {}),
            ('foreign signature', f'{header}.{payload}.{"A" * len(signature)}', {}),
            ('other iss', sign(iss='https://other.example'), {}),
            ('client_id of B', good, {'client_id': 'shop-client'}),
            ('logout token', sign('logout+jwt'), {}),
            ('aud of B', sign(aud='shop-client'), {'client_id': 'wiki-client'}),
            ('no token', 'x', {'client_id': 'wiki-client'}),
        ):
            with self.subTest(name):
                page = self.ask_logout(id_token_hint=hint, post_logout_redirect_uri=BYE, **parameters)
                self.assertQuestion(page)
        self.assertStays(self.press(page))
        # And for somebody who is logged out.
        self.assertStays(self.ask_logout(id_token_hint=f'{unsigned}.{payload}.', post_logout_redirect_uri=BYE))

    def test_n334_encoding(self):
        self.log_in()
        response = self.url_open(f'{ENDPOINT}?state=%ff', allow_redirects=False)
        self.assertEqual(response.status_code, 400)
        self.assertLoggedIn()

    def test_n336_state(self):
        for state in ('a&b=c', 'őű☃', 'x' * 2048, '%26', '"><script>', ' '):
            with self.subTest(state):
                response = self.ask_logout(id_token_hint=self.get_hint(), post_logout_redirect_uri=BYE, state=state)
                uri, _mark, query = response.headers['Location'].partition('?')
                self.assertEqual((uri, parse_qs(query)), (BYE, {'state': [state]}))
        self.log_in()
        page = self.ask_logout(state='s')
        self.assertQuestion(page)
        self.assertStays(self.press(page))

    def test_n333_event(self):
        self.log_in()
        self.ask_logout(client_id='wiki-client', post_logout_redirect_uri='https://evil.example/?token=secret')
        [event] = self.get_events('request_refused')
        self.assertIn('https://evil.example/', event.message)
        self.assertNotIn('secret', event.message)

    def test_n333_registered(self):
        self.application.post_logout_redirect_uris = f' HTTPS://wiki.example.com/a \n\n{BYE} '
        self.assertEqual(self.application.post_logout_redirect_uris, f'https://wiki.example.com/a\n{BYE}')
        for wrong in ('https://wiki.example.com/#a', 'javascript:alert(1)', '/bye', 'https://*.example.com/'):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                self.application.post_logout_redirect_uris = f'{BYE}\n{wrong}'

    def test_n333_discovery(self):
        document = self.url_open('/.well-known/openid-configuration').json()
        self.assertEqual(document['end_session_endpoint'], ISSUER + ENDPOINT)
        self.assertIs(document['backchannel_logout_supported'], True)
        self.assertIs(document['backchannel_logout_session_supported'], True)


@tagged('post_install', '-at_install')
class TestBackChannelLogout(LogoutCase):
    """Back-Channel Logout 1.0, sent to a relying party on this computer."""

    def test_n337_logout_token(self):
        receiver = self.start_receiver()
        claims = self.get_claims(self.get_tokens())
        response = self.ask_logout()
        self.press(response)
        self.assertFalse(receiver.received)
        self.send()
        [token] = receiver.get_tokens()
        [(path, headers, body)] = receiver.received
        self.assertEqual(path, '/logout?a=b')
        self.assertEqual(headers['Content-Type'], 'application/x-www-form-urlencoded')
        self.assertEqual(body, f'logout_token={token}')
        told = self.get_token_claims(token)
        self.assertEqual(set(told), {'iss', 'aud', 'iat', 'exp', 'jti', 'events', 'sub', 'sid'})
        names = ('iss', 'aud', 'sub', 'sid')
        self.assertEqual([told[name] for name in names], [claims[name] for name in names])
        self.assertLessEqual(told['exp'] - told['iat'], 120)
        self.assertLess(abs(told['iat'] - time.time()), 60)
        self.assertEqual(told['events'], {'http://schemas.openid.net/event/backchannel-logout': {}})
        self.assertGreater(len(told['jti']), 20)
        self.assertFalse(self.calls.search([]))
        [event] = self.get_events('logout_told')
        self.assertEqual((event.application_id, event.user_id), (self.application, self.user))
        self.send()
        self.assertEqual(len(receiver.received), 1)

    def test_n337_algorithm_and_pairwise(self):
        receiver = self.start_receiver()
        self.application.write({'id_token_signed_response_alg': 'ES256', 'pairwise_subject': True})
        claims = self.get_claims(self.get_tokens())
        self.log_out()
        self.send()
        [token] = receiver.get_tokens()
        self.assertEqual(self.get_token_claims(token)['sub'], claims['sub'])

    def test_n339_each_session_once(self):
        first, second = self.start_receiver(), self.start_receiver(self.other)
        sid = self.get_claims(self.get_tokens())['sid']
        self.get_tokens(login=False)
        self.get_tokens(self.other, login=False)
        self.url_open('/web/session/logout', allow_redirects=False)
        self.url_open('/web/session/logout', allow_redirects=False)
        self.send()
        tokens = [*first.get_tokens(), *second.get_tokens()]
        told = [(claims['aud'], claims['sid']) for claims in map(self.get_token_claims, tokens)]
        self.assertEqual(told, [('wiki-client', sid), ('shop-client', sid)])

    def test_n339_not_told(self):
        """Applications that did not get an ID token of the session, or do not want to be told."""
        receiver = self.start_receiver()
        self.log_in()
        answer = self.get_answer(self.ask())
        self.get_tokens(self.other, login=False)
        self.log_out()
        self.send()
        self.assertFalse(receiver.received)
        # Nor may it take part in the session any more.
        self.assertOAuth2Error(self.redeem(answer['code']), 400, 'invalid_grant')
        self.get_tokens()
        self.application.backchannel_logout_uri = False
        self.log_out()
        self.assertFalse(self.calls.search([]))
        self.assertFalse(self.sessions.search([]))

    def test_n339_ends(self):
        receiver = self.start_receiver()

        def destroy():
            self.make_jsonrpc_request('/web/session/destroy', {})

        def revoke_device():
            identifier = self.get_session().sid[:STORED_SESSION_BYTES]
            self.env.flush_all()
            devices = self.env['res.device'].with_user(self.user).search([('session_identifier', '=', identifier)])
            self.assertTrue(devices)
            devices._revoke()

        def log_out_everywhere():
            self.user.with_user(self.user)._action_revoke_all_devices()

        def log_in_as_somebody_else():
            self.log_in_again('ada')
            self.assertEqual(self.get_session().uid, self.administrator.id)

        for end in (
            self.log_out,
            destroy,
            revoke_device,
            log_out_everywhere,
            log_in_as_somebody_else,
            lambda: self.user.write({'password': PASSWORD + '2'}),
            lambda: self.user.write({'login': 'mitchell2'}),
            lambda: self.user.write({'active': False}),
        ):
            with self.subTest(end):
                self.user.write({'active': True, 'login': 'mitchell', 'password': PASSWORD})
                receiver.received.clear()
                claims = self.get_claims(self.get_tokens())
                self.send()
                self.assertFalse(receiver.received)
                end()
                self.env.flush_all()
                self.send()
                self.log_out()
                self.send()
                [token] = receiver.get_tokens()
                self.assertEqual(self.get_token_claims(token)['sid'], claims['sid'])

    def log_in_again(self, login):
        """Send the login page once more, which was opened in another tab."""
        # The page itself leads on while somebody is logged in.
        opened = SimpleNamespace(session=self.get_session(), env=self.env)
        values = {'csrf_token': http.Request.csrf_token(opened), 'login': login, 'password': PASSWORD}
        response = self.url_open('/web/login', data=values, allow_redirects=False)
        self.assertEqual(response.status_code, 303)

    def test_n339_user_deleted(self):
        receiver = self.start_receiver()
        claims = self.get_claims(self.get_tokens())
        self.user.unlink()
        self.send()
        [token] = receiver.get_tokens()
        self.assertEqual(self.get_token_claims(token)['sub'], claims['sub'])

    def test_n339_file_vacuumed(self):
        receiver = self.start_receiver()
        self.get_tokens()
        with self.later(hours=2):
            self.sessions._gc_vanished()
            self.send()
            self.assertFalse(receiver.received)
        http.root.session_store.delete(self.get_session())
        self.sessions._gc_vanished()
        self.send()
        self.assertFalse(receiver.received, "Its file may not be written yet.")
        with self.later(hours=2):
            self.sessions._gc_vanished()
            self.send()
        self.assertEqual(len(receiver.received), 1)

    def test_n339_file_renamed(self):
        """The same user fills in the login page once more: the session goes on by another name."""
        receiver = self.start_receiver()
        self.get_tokens()
        before = self.get_session().sid[:STORED_SESSION_BYTES]
        self.log_in_again('mitchell')
        after = self.get_session().sid[:STORED_SESSION_BYTES]
        self.assertNotEqual(after, before)
        self.url_open('/web/health')
        self.env.invalidate_all()
        self.assertEqual(self.sessions.search([]).session_identifier, after)
        with self.later(hours=2):
            self.sessions._gc_vanished()
        self.assertFalse(self.calls.search([]))
        self.assertFalse(receiver.received)

    def test_n339_expired_session(self):
        """An addon ends the session at a request (`auth_timeout`), whose transaction is lost."""
        receiver = self.start_receiver()
        self.get_tokens()

        def expire(cls):
            raise http.SessionExpiredException("Session expired")

        with patch.object(type(self.env['ir.http']), '_auth_method_user', classmethod(expire)):
            response = self.url_open('/oauth2/applications', allow_redirects=False)
        self.assertIn('/web/login', response.headers['Location'])
        self.send()
        self.assertEqual(len(receiver.received), 1)

    def test_n339_n314_refresh_tokens(self):
        receiver = self.start_receiver()
        tokens = self.get_tokens()
        offline = self.get_tokens(login=False, scope='openid offline_access')
        other = self.get_tokens(self.other, login=False)
        self.log_out()
        self.assertInactive(tokens['access_token'])
        self.assertEqual(self.get_userinfo(tokens['access_token']).status_code, 401)
        self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')
        self.assertActive(offline['access_token'])
        # One without a URI is as before.
        self.assertActive(other['access_token'], application=self.other)
        self.assertFalse(receiver.received)
        [event] = self.get_events('sign_ins_ended')
        self.assertIn("The user logged out of Odoo", event.message)

    def log_out_once(self, receiver):
        """Sign in, log out, and make the first try."""
        receiver.received.clear()
        self.get_tokens()
        self.log_out()
        started = time.monotonic()
        self.send()
        return time.monotonic() - started

    def test_n338_answers(self):
        receiver = self.start_receiver()
        for answer, reason in ((302, 'redirect'), (307, 'redirect'), (400, 'refused'), (404, 'refused'), (200, None)):
            with self.subTest(answer):
                self.env.cr.execute("DELETE FROM orestapi_event")
                receiver.answer, receiver.headers = answer, {'Location': f'{receiver.origin}/elsewhere'}
                self.log_out_once(receiver)
                self.assertEqual([path for path, _headers, _body in receiver.received], ['/logout?a=b'])
                self.assertFalse(self.calls.search([]))
                events = self.get_events('logout_not_told') + self.get_events('logout_told')
                self.assertEqual(events.mapped('reason'), [reason or False])

    def test_n338_tries(self):
        self.stop_clock()
        receiver = self.start_receiver()
        receiver.answer = 500
        self.log_out_once(receiver)
        for minutes, tries in ((0.5, 1), (1, 2), (4, 2), (5, 3), (29, 3), (31, 4), (60, 4), (10000, 4)):
            with self.subTest(minutes), self.later(minutes=minutes):
                self.send()
                self.assertEqual(len(receiver.received), tries)
        claims = [self.get_token_claims(token) for token in receiver.get_tokens()]
        self.assertEqual(len({told['jti'] for told in claims}), 4)
        self.assertEqual(len({told['sid'] for told in claims}), 1)
        self.assertFalse(self.calls.search([]))
        [event] = self.get_events('logout_not_told')
        self.assertEqual(event.reason, 'failed')

    def test_n338_triggers(self):
        cron = self.env.ref('orestapi.ir_cron_logout_calls')
        receiver = self.start_receiver()
        receiver.answer = 503
        self.env['ir.cron.trigger'].search([('cron_id', '=', cron.id)]).unlink()
        self.log_out_once(receiver)
        triggers = self.env['ir.cron.trigger'].search([('cron_id', '=', cron.id)]).sorted('call_at')
        self.assertEqual(len(triggers), 2)
        self.assertAlmostEqual(
            triggers[1].call_at - triggers[0].call_at, timedelta(minutes=1), delta=timedelta(seconds=5)
        )

    def test_n338_hangs(self):
        receiver = self.start_receiver()
        receiver.delay = 5
        self.assertLess(self.log_out_once(receiver), 4.5)
        self.assertTrue(self.calls.search([]))
        receiver.delay = 0
        with self.later(minutes=1):
            self.send()
        self.assertFalse(self.calls.search([]))

    def test_n338_nobody_listens(self):
        receiver = self.start_receiver()
        receiver.stop()
        self.log_out_once(receiver)
        self.assertTrue(self.calls.search([]))

    def test_n338_internal(self):
        receiver = self.start_receiver()
        parameters = self.env['ir.config_parameter']
        for listed, told in (('', False), ('127.0.0.2 other.example', False), ('wiki.intranet, 127.0.0.1', True)):
            with self.subTest(listed):
                self.env.cr.execute("DELETE FROM orestapi_event")
                parameters.set_param('orestapi.logout_hosts', listed)
                self.log_out_once(receiver)
                self.assertEqual(len(receiver.received), int(told))
                self.assertFalse(self.calls.search([]))
                if not told:
                    self.assertEqual(self.get_events('logout_not_told').reason, 'internal')
                    self.assertIn("add its host", self.get_events('logout_not_told').message)

    def test_n338_setting(self):
        settings = self.env['res.config.settings']
        self.assertEqual(settings.create({}).orestapi_logout_hosts, '127.0.0.1')
        settings.create({'orestapi_logout_hosts': ' wiki.intranet 10.0.0.1, ::1 '}).execute()
        self.assertEqual(self.calls._get_hosts(), {'wiki.intranet', '10.0.0.1', '::1'})
        for wrong in ('https://wiki.intranet', 'wiki.intranet:8080', '10.0.0.0/8', 'a/b', '*', '[::1]'):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                settings.create({'orestapi_logout_hosts': wrong})
        page = self.env['orestapi.settings'].with_user(self.administrator).create({})
        page.logout_hosts = 'shop.intranet'
        page.execute()
        self.assertEqual(self.calls._get_hosts(), {'shop.intranet'})

    def test_n338_uri(self):
        self.application.backchannel_logout_uri = ' HTTPS://wiki.example.com/logout '
        self.assertEqual(self.application.backchannel_logout_uri, 'https://wiki.example.com/logout')
        for good in (
            'https://10.0.0.1/',
            'https://wiki.example.com:8443/a?b=c',
            'http://localhost:80/',
            'http://[::1]/a',
        ):
            self.application.backchannel_logout_uri = good
        for wrong in (
            'http://wiki.example.com/', 'ftp.example:/x', 'com.example.app:/logout', 'https://a:b@wiki.example.com/',
            'https://wiki.example.com/#a', 'https://wiki.example.com/a b', 'wiki.example.com', 'https://b\u00fccher.example/',
            'https://a.example/ https://b.example/', 'file:///etc/passwd', 'http://127.0.0.1.example.com/',
        ):  # fmt: skip
            with self.subTest(wrong), self.assertRaises(ValidationError):
                self.application.backchannel_logout_uri = wrong

    def test_n338_application_gone(self):
        receiver = self.start_receiver()
        for values in ({'active': False}, {'backchannel_logout_uri': False}):
            with self.subTest(values):
                self.get_tokens()
                self.log_out()
                self.assertTrue(self.calls.search([]))
                self.application.write(values)
                self.send()
                self.assertFalse(self.calls.search([]))
                self.application.active = True
        self.assertFalse(receiver.received)

    def test_n338_old(self):
        receiver = self.start_receiver()
        self.get_tokens()
        self.log_out()
        self.calls._gc_old()
        self.assertTrue(self.calls.search([]))
        self.calls.search([]).create_date = fields.Datetime.now() - timedelta(days=2)
        self.env.flush_all()
        self.calls._gc_old()
        self.assertFalse(self.calls.search([]))
        self.assertFalse(receiver.received)

    def test_n338_log_is_silent(self):
        """No token in a log."""
        receiver = self.start_receiver()
        with self.assertLogs(level='DEBUG') as caught:
            self.log_out_once(receiver)
        [token] = receiver.get_tokens()
        self.assertNotIn(token, '\n'.join(caught.output))

    def test_n330_neutralized(self):
        self.start_receiver()
        self.get_tokens()
        self.log_out()
        self.get_tokens()
        self.env.flush_all()
        [query] = get_neutralization_queries(['orestapi'])
        self.env.cr.execute(query)
        self.env.invalidate_all()
        self.assertFalse(self.calls.search([]))
        self.assertFalse(self.sessions.search([]))
        self.assertFalse(self.application.backchannel_logout_uri)
