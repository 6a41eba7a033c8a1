import base64
import dataclasses
from unittest.mock import patch
from urllib.parse import quote

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.orestapi_authentication_failure import COUNTED, LIMIT, RECHECK_AFTER, WINDOW
from ..oauth2 import client_secret
from ..oauth2.client_authentication import Credentials
from ..oauth2.errors import InvalidClient, TooManyRequests
from .common import CLIENT_SECRET, PASSWORD, WRONG_SECRET
from .oauth2_client import VERIFIER, encode_basic, get_basic
from .test_token import OTHER_SECRET, TokenEndpointCase


@tagged('post_install', '-at_install')
class TestClientAuthentication(TokenEndpointCase):
    """Client authentication (RFC 6749 §2.3, §3.2.1)."""

    def ask_basic(self, pair):
        return self.ask(auth=None, headers={'Authorization': encode_basic(pair)})

    def ask_body(self, client_id, *secret):
        return self.ask([('client_id', client_id), *(('client_secret', text) for text in secret)], auth=None)

    def assertNotAuthenticated(self, client_id, secret):
        """Assert that a client cannot authenticate, in either way."""
        self.assertInvalidClient(self.ask(auth=(client_id, secret)))
        self.assertInvalidClient(self.ask_body(client_id, secret))

    def test_n089_no_credentials(self):
        self.assertInvalidClient(self.ask(auth=None))
        self.assertInvalidClient(self.ask_body('', ''))
        self.assertInvalidClient(self.ask({'client_secret': CLIENT_SECRET}, auth=None))
        # Another scheme counts as an attempt with the header.
        for header in ('Bearer x', 'Negotiate x', 'Basic', '', 'x'):
            with self.subTest(header=header):
                self.assertInvalidClient(self.ask(auth=None, headers={'Authorization': header}))

    def test_n090_wrong_secret_in_header(self):
        for secret in (WRONG_SECRET, CLIENT_SECRET[:-1], CLIENT_SECRET + ' ', CLIENT_SECRET.upper(), OTHER_SECRET, ''):
            with self.subTest(secret=secret):
                self.assertInvalidClient(self.ask(auth=('wiki-client', secret)))

    def test_n091_wrong_secret_in_body(self):
        for secret in (WRONG_SECRET, CLIENT_SECRET[:-1], CLIENT_SECRET + ' ', CLIENT_SECRET.upper(), OTHER_SECRET, ''):
            with self.subTest(secret=secret):
                self.assertInvalidClient(self.ask_body('wiki-client', secret))

    def test_n092_two_methods(self):
        for secret in (CLIENT_SECRET, WRONG_SECRET):
            with self.subTest(secret=secret):
                response = self.ask({'client_id': 'wiki-client', 'client_secret': secret})
                self.assertOAuth2Error(response, 400, 'invalid_request')
        self.assertOAuth2Error(self.ask({'client_secret': CLIENT_SECRET}), 400, 'invalid_request')

    def test_n093_two_clients(self):
        for client_id in ('shop-client', 'tool-client', 'unknown-client', 'WIKI-CLIENT'):
            with self.subTest(client_id=client_id):
                self.assertOAuth2Error(self.ask({'client_id': client_id}), 400, 'invalid_request')
        self.assertIssued(self.ask({'client_id': 'wiki-client'}))

    def test_n094_malformed_header(self):
        good = f'wiki-client:{quote(CLIENT_SECRET)}'
        for pair in (
            'wiki-client',
            f':{quote(CLIENT_SECRET)}',
            ':',
            '',
            good.encode() + b'\xff',
            b'\xff\xfe:x',
            'wiki-client%00:x',
            good + '%00',
            good + '\0',
            'wiki-client%ff:x',
            good + '%ff',
            f'wiki-client:{"x" * 10_000}',
            'x' * 10_000,
        ):
            with self.subTest(pair=pair[:30]):
                self.assertInvalidClient(self.ask_basic(pair))
        encoded = base64.b64encode(good.encode()).decode()
        for header in (
            'Basic',
            'Basic ',
            'Basic !!!',
            f'Basic {good}',
            f'Basic {encoded[:-1]}',
            f'Basic {encoded[:4]} {encoded[4:]}',
            f'Basic {encoded}, Basic {encoded}',
            f'Basic\t{encoded}',
        ):
            with self.subTest(header=header):
                self.assertInvalidClient(self.ask(auth=None, headers={'Authorization': header}))
        self.assertIssued(self.ask_basic(good))

    def test_n095_scheme_in_other_case(self):
        header = get_basic(*self.get_auth()).partition(' ')[2]
        for scheme in ('basic', 'BASIC', 'bAsIc'):
            with self.subTest(scheme=scheme):
                self.assertIssued(self.ask(auth=None, headers={'Authorization': f'{scheme} {header}'}))

    def store_secret(self, secret):
        """Give the application a secret that the first release accepted (see P9)."""
        self.application.client_secret_hash = client_secret.compute_hash(secret)
        self.env['orestapi.application']._invalidate_caches()

    def test_n096_secret_with_signs(self):
        for secret in ('a:b:c:d:e:f:g:h:i', '100%25 + 50%+1 = 150%', ' blanks at the ends ', 'quote"back\\slash&=?#'):
            with self.subTest(secret=secret):
                self.store_secret(secret)
                self.assertIssued(self.ask(auth=('wiki-client', secret)))
                self.assertIssued(self.ask_basic(f"wiki-client:{quote(secret, safe='')}"))
                self.assertIssued(self.ask_body('wiki-client', secret))
        # Decoded once and not twice.
        self.store_secret('%2541%2541%2541%2541')
        self.assertIssued(self.ask(auth=('wiki-client', '%2541%2541%2541%2541')))
        self.assertInvalidClient(self.ask_basic('wiki-client:%2541%2541%2541%2541'))

    def test_n097_unknown_client(self):
        """Neither the response nor its computation reveals whether the client or the secret is wrong."""
        self.other.write({'service_user_id': self.service_user.id, 'client_secret': False})
        answers = {}
        for client_id in ('wiki-client', 'shop-client', 'tool-client', 'unknown-client', '1', "' OR 1=1", 'x' * 3000):
            with self.subTest(client_id=client_id[:20]), self.count_verifications() as verify:
                response = self.ask(auth=(client_id, WRONG_SECRET))
                self.assertInvalidClient(response)
                answers[client_id] = response.content, sorted(set(response.headers) - {'Date'})
                self.assertEqual(verify.call_count, 1)
        self.assertEqual(len({str(answer) for answer in answers.values()}), 1, answers)

    def count_verifications(self):
        """Return a context that counts the slow computations."""
        return patch.object(client_secret.CONTEXT, 'verify', wraps=client_secret.CONTEXT.verify)

    def test_n098_archived_or_deleted(self):
        self.application.active = False
        self.assertNotAuthenticated('wiki-client', CLIENT_SECRET)
        self.public.active = False
        self.assertInvalidClient(self.ask_body('tool-client'))
        self.application.active = True
        self.assertIssued(self.ask())
        self.application.unlink()
        self.issued = self.count_issued()
        self.assertNotAuthenticated('wiki-client', CLIENT_SECRET)

    def test_n099_old_secret(self):
        secret = self.application.generate_client_secret()
        self.assertNotAuthenticated('wiki-client', CLIENT_SECRET)
        self.assertIssued(self.ask(auth=('wiki-client', secret)))
        self.application.client_secret = CLIENT_SECRET
        self.assertNotAuthenticated('wiki-client', secret)
        # An empty one changes nothing (A7).
        self.application.client_secret = False
        self.assertIssued(self.ask())
        self.application.action_remove_client_secret()
        self.assertNotAuthenticated('wiki-client', CLIENT_SECRET)
        self.assertNotAuthenticated('wiki-client', '')

    def test_n099_old_secret_with_overlap(self):
        self.stop_clock()
        secret = self.application.generate_client_secret(keep_previous=2)
        self.assertIssued(self.ask(auth=('wiki-client', secret)))
        with self.later(days=2, seconds=-1):
            self.assertIssued(self.ask())
        with self.later(days=2):
            self.assertNotAuthenticated('wiki-client', CLIENT_SECRET)
            self.assertIssued(self.ask(auth=('wiki-client', secret)))
        # At most two secrets work, and the overlap can be ended at once.
        third = self.application.generate_client_secret(keep_previous=2)
        self.assertNotAuthenticated('wiki-client', CLIENT_SECRET)
        self.assertIssued(self.ask(auth=('wiki-client', secret)))
        self.application.previous_client_secret_expires_at = False
        self.assertNotAuthenticated('wiki-client', secret)
        self.assertIssued(self.ask(auth=('wiki-client', third)))

    def test_n100_public_client_sends_a_secret(self):
        code = self.get_code(self.public)
        self.assertNotAuthenticated('tool-client', CLIENT_SECRET)
        self.assertNotAuthenticated('tool-client', ' ')
        # Not even the secret that it had while it was confidential.
        self.application.write({'service_user_id': False, 'client_type': 'public'})
        self.assertNotAuthenticated('wiki-client', CLIENT_SECRET)
        self.assertEqual(self.redeem(code, self.public).status_code, 200)

    def test_p01_empty_secret_is_none(self):
        """Six libraries send an empty secret for a public client: at any endpoint, in the header, the body, or both."""
        empty = {'Authorization': encode_basic('tool-client:')}
        for headers, parameters in (
            (empty, {}),
            (empty, {'client_id': 'tool-client'}),
            (empty, {'client_id': 'tool-client', 'client_secret': ''}),
            ({}, {'client_id': 'tool-client', 'client_secret': ''}),
        ):
            with self.subTest(headers=headers, parameters=parameters):
                code = self.get_code(self.public)
                request = {
                    'grant_type': 'authorization_code',
                    'code': code,
                    'redirect_uri': 'http://127.0.0.1/callback',
                    'code_verifier': VERIFIER,
                    **parameters,
                }
                response = self.post('/oauth2/token', request, headers=headers)
                self.assertIssued(response)
                refresh = {'grant_type': 'refresh_token', 'refresh_token': response.json()['refresh_token']}
                response = self.post('/orestapi/oauth2/access_token', {**refresh, **parameters}, headers=headers)
                self.assertIssued(response)
                revoke = {'token': response.json()['access_token'], **parameters}
                self.assertEqual(self.post('/oauth2/revoke', revoke, headers=headers).status_code, 200)
                sign_ins = self.env['orestapi.token'].search([('application_id', '=', self.public.id)])
                self.assertTrue(all(sign_ins.mapped('revoked_at')))
        self.assertFalse(self.env['orestapi.event'].search([('kind', '=', 'client_authentication_failed')]))
        # It does not authenticate an application that has or needs a secret.
        for pair in ('wiki-client:', 'unknown-client:'):
            with self.subTest(pair=pair):
                self.assertInvalidClient(self.ask_basic(pair))
        self.assertInvalidClient(self.post('/oauth2/introspect', {'token': 'x'}, headers=empty))
        # A secret in the other place counts.
        empty = {'Authorization': encode_basic('wiki-client:')}
        self.assertIssued(self.ask({'client_secret': CLIENT_SECRET}, auth=None, headers=empty))
        response = self.ask({'client_id': 'shop-client'}, auth=None, headers=empty)
        self.assertOAuth2Error(response, 400, 'invalid_request')

    def test_p06_each_401_has_a_challenge(self):
        """RFC 9110 §15.5.2: curl --anyauth, wget and urllib send the secret only then."""
        basic = 'Basic realm="orestapi", charset="UTF-8"'
        for path in (
            '/oauth2/token',
            '/oauth2/revoke',
            '/oauth2/introspect',
            '/orestapi/oauth2/access_token',
            '/orestapi/application/status',
        ):
            for parameters in (
                {},
                {'token': 'x'},
                {'client_id': 'wiki-client'},
                {'client_id': 'wiki-client', 'client_secret': WRONG_SECRET},
                {'client_id': 'unknown-client'},
            ):
                with self.subTest(path=path, parameters=parameters):
                    response = self.post(path, parameters)
                    self.assertEqual(response.status_code, 401)
                    self.assertEqual(response.headers['WWW-Authenticate'], basic)
        for path in ('/orestapi/1/models', '/orestapi/application/model'):
            for headers in ({}, {'Authorization': 'Bearer x'}, {'Authorization': 'Basic x'}):
                with self.subTest(path=path, headers=headers):
                    response = self.url_open(path, headers=headers)
                    self.assertEqual(response.status_code, 401)
                    self.assertRegex(response.headers['WWW-Authenticate'], '^Bearer realm="orestapi"')

    def test_p07_blanks_around_headers(self):
        """RFC 9110 §5.5: spaces around a field value are not part of it."""
        basic = get_basic(*self.get_auth())
        for end in (' ', '   ', '\t', ' \t '):
            with self.subTest(end=end):
                headers = {
                    'Authorization': basic + end,
                    'Content-Type': 'application/x-www-form-urlencoded' + end,
                }
                response = self.ask(auth=None, headers=headers)
                self.assertIssued(response)
                bearer = {'Authorization': f"Bearer {response.json()['access_token']}{end}"}
                self.assertEqual(self.url_open('/orestapi/1/models', headers=bearer).status_code, 200)
                self.assertEqual(self.url_open('/orestapi/application/model', headers=bearer).status_code, 200)
                response = self.ask({'scope': 'rpc'}, auth=None, headers=headers)
                bearer = {'Authorization': f"Bearer {response.json()['access_token']}{end}"}
                response = self.url_open('/json/2/res.users/context_get', json={}, headers=bearer, method='POST')
                self.assertEqual(response.status_code, 200)
                self.issued = self.count_issued()

    def get_failures(self):
        return self.env['orestapi.event'].search([('kind', '=', 'client_authentication_failed')])

    def test_s04_public_application_is_never_locked_out(self):
        """It has no secret to guess, and a stranger could lock out everybody behind an IP address."""
        self.stop_clock()
        code = self.get_code(self.public)
        for count in range(LIMIT + 5):
            with self.subTest(count=count):
                path = ('/oauth2/token', '/oauth2/revoke', '/oauth2/introspect')[count % 3]
                parameters = {'token': 'x', 'client_id': 'tool-client', 'client_secret': WRONG_SECRET}
                headers = {'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'} if count % 2 else {}
                self.assertInvalidClient(self.post(path, parameters, headers=headers))
        response = self.redeem(code, self.public)
        self.assertIssued(response)
        self.assertEqual(self.refresh(response.json()['refresh_token'], self.public).status_code, 200)
        # One event tells what is wrong, and another one after the window.
        self.assertEqual(self.get_failures().mapped('reason'), ['secret_unexpected'])
        with self.later(seconds=WINDOW.seconds):
            self.assertInvalidClient(self.ask_body('tool-client', WRONG_SECRET))
        self.assertEqual(len(self.get_failures()), 2)

    def test_s04_page_of_another_site_locks_nobody_out(self):
        self.stop_clock()
        self.other.allowed_origins = 'https://shop.example.com'
        pages = (
            {'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'},
            {'Origin': 'https://evil.example'},
            {'Origin': 'https://shop.example.com'},
            {'Origin': 'null'},
            {'Sec-Fetch-Site': 'cross-site'},
            {'Origin': 'https://evil.odoo.example.com', 'Sec-Fetch-Site': 'same-site'},
        )
        for count in range(2 * LIMIT):
            with self.subTest(count=count):
                response = self.ask(
                    {'client_id': 'wiki-client', 'client_secret': WRONG_SECRET},
                    auth=None,
                    headers=pages[count % len(pages)],
                )
                self.assertIn(response.status_code, (401, 429))
        # The application itself keeps working from the same IP address.
        self.assertIssued(self.ask())
        self.assertIssued(self.ask(headers={'Origin': 'https://odoo.example.com'}))
        self.assertEqual(set(self.get_failures().mapped('reason')), {'cross_site'})
        self.assertIn("A page of another website", self.get_failures()[0].message)

    def test_s04_pretending_to_be_a_page_helps_nobody_guess(self):
        """A program that sends such a header has the same number of guesses with it as without it."""
        self.stop_clock()
        statuses = []
        for count in range(2 * LIMIT):
            headers = {'Origin': f'https://{count}.example', 'Sec-Fetch-Site': 'cross-site'}
            statuses.append(self.ask(auth=('wiki-client', WRONG_SECRET), headers=headers).status_code)
        self.assertEqual(statuses, [401] * LIMIT + [429] * LIMIT)
        response = self.ask(headers={'Origin': 'https://another.example'})
        self.assertOAuth2Error(response, 429, 'invalid_client')
        self.assertEqual(len(self.get_failures()), LIMIT)

    def test_s04_listed_origin_is_no_other_site(self):
        """A listed origin belongs to the application, so its failures count as the application's."""
        self.stop_clock()
        self.application.allowed_origins = 'https://wiki.example.com'
        headers = {'Origin': 'https://wiki.example.com', 'Sec-Fetch-Site': 'cross-site'}
        for _attempt in range(LIMIT):
            self.assertInvalidClient(self.ask(auth=('wiki-client', WRONG_SECRET), headers=headers))
        self.assertOAuth2Error(self.ask(), 429, 'invalid_client')

    def test_n101_confidential_client_without_secret(self):
        code = self.get_code()
        self.assertInvalidClient(self.ask_body('wiki-client'))
        self.assertInvalidClient(self.ask_body('wiki-client', ''))
        self.assertInvalidClient(self.redeem(code, auth=None, client_id='wiki-client'))
        self.assertInvalidClient(self.ask(auth=('wiki-client', '')))
        self.assertEqual(self.redeem(code).status_code, 200)

    def test_n102_no_oracle_by_time(self):
        """The same slow computation verifies the whole secret, however much of it is right."""
        with self.count_verifications() as verify:
            for length in range(1, len(CLIENT_SECRET)):
                with self.subTest(length=length), self.later(minutes=2 * length):
                    self.assertInvalidClient(self.ask(auth=('wiki-client', CLIENT_SECRET[:length])))
        self.assertEqual(
            [call.args[0] for call in verify.call_args_list],
            [CLIENT_SECRET[:length] for length in range(1, len(CLIENT_SECRET))],
        )

    def test_n103_too_many_failures(self):
        self.stop_clock()
        for _attempt in range(LIMIT):
            self.assertInvalidClient(self.ask(auth=('wiki-client', WRONG_SECRET)))
        with self.later(seconds=20):
            # Even with the right secret, so that a guesser cannot see which one it is.
            for secret in (WRONG_SECRET, CLIENT_SECRET):
                with self.subTest(secret=secret):
                    response = self.ask(auth=('wiki-client', secret))
                    self.assertOAuth2Error(response, 429, 'invalid_client')
                    self.assertEqual(response.headers['Retry-After'], '40')
            # Others at the same IP address are not affected: other applications, and people who log in.
            self.assertIssued(self.redeem(self.get_code(self.public), self.public))
            self.assertOAuth2Error(self.ask(auth=('shop-client', OTHER_SECRET)), 400, 'unauthorized_client')
            credential = {'login': 'mitchell', 'password': PASSWORD, 'type': 'password'}
            login = self.env['res.users'].authenticate(credential, {'interactive': True})
            self.assertEqual(login['uid'], self.user.id)
        with self.later(seconds=WINDOW.seconds - 1):
            self.assertEqual(self.ask().headers['Retry-After'], '1')
        with self.later(seconds=WINDOW.seconds):
            self.assertIssued(self.ask())
        # All workers share the count, and refused attempts are not counted.
        events = self.env['orestapi.event'].search([('kind', '=', 'client_authentication_failed')])
        self.assertEqual(len(events), LIMIT)
        self.assertEqual(events.application_id, self.application)
        self.assertEqual(set(events.mapped('address')), {'127.0.0.1'})

    def test_n103_failures_at_every_endpoint_count(self):
        self.stop_clock()
        for count in range(LIMIT):
            with self.subTest(count=count):
                path = ('/oauth2/token', '/oauth2/revoke', '/oauth2/introspect')[count % 3]
                self.assertInvalidClient(
                    self.post(path, {'token': 'x', 'client_id': 'wiki-client', 'client_secret': WRONG_SECRET})
                )
        for path in ('/oauth2/token', '/oauth2/revoke', '/oauth2/introspect'):
            with self.subTest(path=path):
                response = self.post(path, {'token': 'x'}, self.get_auth())
                self.assertOAuth2Error(response, 429, 'invalid_client')

    def count_failures_elsewhere(self, address):
        """Add the maximum number of failures from an IP address, as another process would."""
        self.env['orestapi.authentication.failure'].create([
            {
                'create_date': fields.Datetime.now(),
                'network': address,
                'application': self.application.id,
                'cross_site': False,
            }
        ] * LIMIT)  # fmt: skip

    def test_n103_failures_of_another_address(self):
        """Failures from another IP address do not lock the application out."""
        self.count_failures_elsewhere('203.0.113.7')
        self.assertIssued(self.ask())
        failures = self.env['orestapi.authentication.failure']._get_dates(self.application.id, '203.0.113.7', False)
        self.assertEqual(len(failures), LIMIT)

    def test_n103_addresses_of_one_network(self):
        """The owner of one IPv6 address has 2^64 of them, which count as one."""
        applications = self.env['orestapi.application']
        failure = self.env['orestapi.authentication.failure']
        for number in range(LIMIT):
            failure._count(self.application.id, f'2001:db8:1:2:{number}::{number}', False)
        credentials = Credentials('wiki-client', CLIENT_SECRET, 'client_secret_post')
        for address in ('2001:db8:1:2::', '2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:DB8:1:2::a'):
            with self.subTest(address=address), self.assertRaises(TooManyRequests):
                applications._authenticate_client(credentials, address)
        for address in ('2001:db8:1:3::1', '2001:db8:1:1:ffff:ffff:ffff:ffff', '203.0.113.7'):
            with self.subTest(address=address):
                self.assertEqual(applications._authenticate_client(credentials, address).id, self.application.id)
        self.assertEqual(len(failure._get_dates(self.application.id, '2001:db8:1:2::', False)), LIMIT)

    def test_n103_no_failure_is_remembered(self):
        """An application that asks all the time does not pay for the count each time."""
        self.stop_clock()
        credentials = Credentials('wiki-client', CLIENT_SECRET, 'client_secret_post')
        applications = self.env['orestapi.application']
        address = '203.0.113.8'  # used by no other test, because the process caches it
        applications._authenticate_client(credentials, address)
        with self.assertQueryCount(0):
            applications._authenticate_client(credentials, address)
        self.count_failures_elsewhere(address)
        with self.later(seconds=RECHECK_AFTER.seconds - 1):
            applications._authenticate_client(credentials, address)
        with self.later(seconds=RECHECK_AFTER.seconds), self.assertRaises(TooManyRequests):
            applications._authenticate_client(credentials, address)

    def test_n103_own_failure_ends_the_memory(self):
        """A process accepts one guess more than the limit, but not a second one."""
        self.stop_clock()
        credentials = Credentials('wiki-client', CLIENT_SECRET, 'client_secret_post')
        applications = self.env['orestapi.application']
        address = '203.0.113.9'  # used by no other test, because the process caches it
        applications._authenticate_client(credentials, address)
        self.count_failures_elsewhere(address)
        with self.assertRaises(InvalidClient):
            applications._authenticate_client(dataclasses.replace(credentials, client_secret=WRONG_SECRET), address)
        with self.assertRaises(TooManyRequests):
            applications._authenticate_client(credentials, address)

    def test_n103_count_is_indexed(self):
        """A token request does not read all failures of a busy minute."""
        # Rows from many IP addresses, because PostgreSQL may use any index or none for few rows.
        self.env.cr.execute(
            """
            INSERT INTO orestapi_authentication_failure (application, network, cross_site, create_date)
            SELECT 0, '198.51.100.' || number % 256, FALSE,
                   now() AT TIME ZONE 'UTC' - number * interval '10 ms'
              FROM generate_series(1, 20000) AS number
            """
        )
        self.env.cr.execute("ANALYZE orestapi_authentication_failure")
        failures = SQL(COUNTED, '203.0.113.7', 1, False, fields.Datetime.now() - WINDOW)
        self.env.cr.execute(SQL("EXPLAIN %s", failures))
        plan = '\n'.join(line for [line] in self.env.cr.fetchall())
        self.assertIn('orestapi_authentication_failure_count_idx', plan)
        self.assertRegex(plan, r'Index Cond: .*network')

    def test_n103_failures_are_deleted(self):
        """A failure is stored while it counts, whatever the retention of events."""
        failure = self.env['orestapi.authentication.failure']
        self.stop_clock()
        failure._count(self.application.id, '203.0.113.7', False)
        with self.later(seconds=WINDOW.seconds - 1):
            failure._gc_uncounted()
        self.assertEqual(len(failure._get_dates(self.application.id, '203.0.113.7', False)), 1)
        with self.later(seconds=WINDOW.seconds + 1):
            self.assertEqual(failure._gc_uncounted(), (1, False))
        self.assertFalse(failure.search_count([]))

    def test_n103_an_event_counts_nothing(self):
        """Changes of events by other addons neither lock an application out nor allow more guesses."""
        for _attempt in range(LIMIT):
            self.env['orestapi.event']._log(
                'client_authentication_failed', application_id=self.application.id, address='127.0.0.1'
            )
        self.assertIssued(self.ask())

    def test_n103_unknown_clients(self):
        self.stop_clock()
        for count in range(LIMIT):
            with self.subTest(count=count):
                self.assertInvalidClient(self.ask_body(f'unknown-client-{count}', WRONG_SECRET))
        self.assertOAuth2Error(self.ask_body('unknown-client-x', WRONG_SECRET), 429, 'invalid_client')
        self.assertIssued(self.ask())
