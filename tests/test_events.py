import re
from ast import literal_eval

from odoo.tests import tagged

from ..models.orestapi_event import REFUSED_APPLICATION_LIMIT, REFUSED_LIMIT
from ..models.orestapi_event_sentences import SENTENCES
from ..oauth2.errors import InvalidRequest
from .common import PASSWORD, WRONG_SECRET, OAuth2Case


@tagged('post_install', '-at_install')
class TestEvents(OAuth2Case):
    """Events as sentences for administrators."""

    def find(self, kind):
        return self.env['orestapi.event'].search([('kind', '=', kind)])

    def test_reference_of_an_error_page(self):
        """The reference on the page leads to the event that tells what was wrong."""
        page = self.authorize({'client_id': 'nobody'}).text
        reference = re.search(r'<code[^>]*>([0-9a-f]{8})</code>', page)[1]
        event = self.env['orestapi.event'].search([('reference', '=', reference)])
        self.assertEqual(event.detail, "The client_id is not that of an application.")
        self.assertEqual(
            event.message,
            "A request from 127.0.0.1 used the client ID \"nobody\", which belongs to no application.",
        )

    def test_refused_requests_do_not_fill_the_database(self):
        """Anybody can send bad requests endlessly: only the first ones of a minute are stored."""
        before = len(self.find('authorization_request_refused'))
        for number in range(REFUSED_LIMIT + 5):
            with self.subTest(number=number):
                response = self.authorize({'client_id': f'nobody-{number}'})
                self.assertEqual(response.status_code, 400)
        self.assertEqual(len(self.find('authorization_request_refused')) - before, REFUSED_LIMIT)
        self.assertNotIn('</code>', response.text)

    def test_refused_requests_of_one_network(self):
        """The same for the 2^64 addresses of one IPv6 network."""
        references = [self.refuse(None, f'2001:db8:1:2::{number}') for number in range(REFUSED_LIMIT + 5)]
        self.assertEqual(len(list(filter(None, references))), REFUSED_LIMIT)
        self.assertTrue(self.refuse(None, '2001:db8:1:3::1'))

    def refuse(self, application, address, kind='authorization_request_refused', **facts):
        error = InvalidRequest("No client.", reason='client_id', **facts)
        return self.env['orestapi.event']._log_refusal(kind, error, application and application.id, address)

    def test_a08_refused_requests_of_many_networks(self):
        """The same for many networks and one application; those of other applications and of known users are stored."""
        networks = [f'203.0.113.{number}' for number in range(REFUSED_APPLICATION_LIMIT // REFUSED_LIMIT + 1)]
        kept = [self.refuse(self.application, network) for network in networks for _number in range(REFUSED_LIMIT)]
        self.assertEqual(len(list(filter(None, kept))), REFUSED_APPLICATION_LIMIT)
        for application, facts in ((self.other, {}), (None, {}), (self.application, {'user_id': self.user.id})):
            with self.subTest(application=application):
                self.assertTrue(self.refuse(application, networks[0], **facts))
        before = len(self.find('request_refused'))
        self.refuse(self.application, networks[0], 'request_refused')
        self.assertEqual(len(self.find('request_refused')), before + 1)

    def test_decisions_do_not_fill_the_database(self):
        """A script that submits the consent page repeatedly leaves only the first events of a minute."""
        self.authenticate(self.user.login, PASSWORD)
        page = self.authorize(self.get_request())
        for kind, decision in (('consent_refused', 'deny'), ('consent_given', 'allow')):
            with self.subTest(kind=kind):
                for _number in range(REFUSED_LIMIT + 2):
                    self.get_response(self.decide(page, decision))
                self.assertEqual(len(self.find(kind)), REFUSED_LIMIT)
        with self.later(minutes=1):
            self.get_response(self.decide(page, 'deny'))
        self.assertEqual(len(self.find('consent_refused')), REFUSED_LIMIT + 1)

    def test_user_who_may_not_use_the_application(self):
        """The administrator sees who sent the request, and why it was refused."""
        self.application.group_ids = self.env.ref('base.group_system')
        self.authenticate(self.user.login, PASSWORD)
        self.assertEqual(self.authorize(self.get_request()).status_code, 403)
        event = self.find('authorization_request_refused')
        self.assertEqual((event.application_id, event.user_id), (self.application, self.user))
        self.assertEqual(event.detail, "The user may not use this application.")

    def test_sentence_of_a_reuse(self):
        tokens = self.sign_in()
        self.refresh(tokens['refresh_token'])
        self.refresh(tokens['refresh_token'])
        self.assertEqual(
            self.find('refresh_token_reused').message,
            "A refresh token of Wiki for Mitchell was reused from 127.0.0.1; the sign-in was ended.",
        )

    def test_sentences_of_a_failed_authentication(self):
        """Only the event tells what the administrator can fix."""
        for client_id, client_secret, sentence in (
            # S12, A8: the client id was right.
            ('wiki-client', WRONG_SECRET, "Wiki sent a wrong client secret from 127.0.0.1."),
            ('wiki-client', None, "Wiki sent no client secret from 127.0.0.1."),
            (
                'tool-client',
                WRONG_SECRET,
                "Command-line tool sent a client secret from 127.0.0.1, but it is a public application and has none.",
            ),
            (
                'unknown-client',
                None,
                "A request from 127.0.0.1 used the client ID \"unknown-client\", which belongs to no application.",
            ),
        ):
            with self.subTest(sentence):
                parameters = {'token': 'x', 'client_id': client_id, 'client_secret': client_secret}
                self.post('/oauth2/revoke', {name: value for name, value in parameters.items() if value})
                self.assertEqual(self.find('client_authentication_failed')[:1].message, sentence)

    def test_every_kind_has_a_sentence(self):
        """No kind of event is shown by its technical name."""
        events = self.env['orestapi.event']
        kinds = {kind for kind, _label in events._fields['kind'].selection}
        self.assertEqual({key if isinstance(key, str) else key[0] for key in SENTENCES}, kinds)
        for key in SENTENCES:
            kind, reason = (key, False) if isinstance(key, str) else key
            with self.subTest(key):
                self.assertTrue(events.new({'kind': kind, 'reason': reason})._get_message().strip())

    def test_every_kind_has_a_filter(self):
        """Each kind of event is found by one of the filters, without its technical name."""
        view = self.env.ref('orestapi.orestapi_event_view_search')
        found = set()
        for domain in re.findall(r'<filter [^>]*\bdomain="([^"]+)"', view.arch):
            with self.subTest(domain=domain):
                [(field, operator, kinds)] = literal_eval(domain)
                if field == 'create_date':
                    continue
                self.assertEqual((field, operator), ('kind', 'in'))
                found.update(kinds)
        kinds = {kind for kind, _label in self.env['orestapi.event']._fields['kind'].selection}
        self.assertEqual(found, kinds)
