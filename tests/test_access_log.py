import base64
import json
import logging
import xmlrpc.client
from contextlib import contextmanager, suppress
from urllib.parse import quote, quote_plus, urlencode

from odoo.tests import tagged
from odoo.tests.common import BaseCase

from ..dispatchers.access_log import CallFilter, RequestFilter, StatementFilter
from ..oauth2.parameters import MEDIA_TYPE
from ..oauth2.tokens import parse
from .common import CLIENT_SECRET, PASSWORD, WRONG_SECRET, OAuth2Case
from .oauth2_client import VERIFIER, get_basic

#: Secrets that only this test sends.
OWN_SECRET = "of the remote side: it's 100% own"
NEW_SECRET = 'another secret of the administrator: 50%+1'


class Collector(logging.Handler):
    """Keeps the formatted output of loggers with tracebacks, as it would be in a file."""

    def __init__(self):
        super().__init__()
        self.setFormatter(logging.Formatter('%(levelname)s %(name)s: %(message)s'))
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@tagged('post_install', '-at_install')
class TestLog(OAuth2Case):
    """Nobody who reads the log can act as an application or a user (RFC 6819 §4.6.7)."""

    def setUp(self):
        super().setUp()
        self.secrets = {CLIENT_SECRET, WRONG_SECRET, VERIFIER}

    @contextmanager
    def collect_log(self):
        """Let every logger of the process log everything during the test."""
        root = logging.getLogger()
        loggers = [root, *(logging.getLogger(name) for name in list(root.manager.loggerDict))]
        levels = [(logger, logger.level) for logger in loggers]
        handlers = [(handler, handler.level) for logger in loggers for handler in logger.handlers]
        collector = Collector()
        for handler, _level in handlers:
            handler.setLevel(logging.CRITICAL + 1)
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
        root.addHandler(collector)
        try:
            yield collector.lines
        finally:
            root.removeHandler(collector)
            for handler_or_logger, level in levels + handlers:
                handler_or_logger.setLevel(level)

    def keep(self, response, *statuses):
        """Store the tokens of a response to search for them in the log."""
        self.assertIn(response.status_code, statuses or (200,), response.text)
        answer = response.json() if response.text.startswith('{') else {}
        self.secrets |= {answer[name] for name in ('access_token', 'refresh_token') if name in answer}
        return answer

    def keep_code(self, **changes):
        code = self.get_code(**changes)
        self.secrets.add(code)
        return code

    def test_n109_s08_no_secret_in_the_log(self):
        self.application.write({'refresh_token_grace': 60, 'service_user_id': self.user.id})
        with self.collect_log() as lines:
            self.ask_for_codes()
            self.ask_for_tokens()
            self.ask_wrongly()
            self.use_tokens()
            self.administer()
            self.fail_within()
        # Removes log lines of the test's own browser and applications.
        log = '\n'.join(line for line in lines if not line.startswith('DEBUG urllib3.'))
        # The log is that of the server, of all of it, and at this level: with each
        # statement and its parameters, with the access log, and with the failure.
        for line in (
            'DEBUG odoo.sql_db: ',
            'INSERT INTO orestapi_token',
            'UPDATE orestapi_token',
            '"POST /oauth2/token HTTP/1.1" 400',
            '"POST /oauth2/revoke HTTP/1.1" 200',
            'ERROR odoo.http: ',
            'Traceback',
            'RaiseException: ',
            # Lines in which the arguments of RPC calls and statements are hidden.
            'DEBUG odoo.service.model: call orestapi.application(',
            'INSERT INTO "orestapi_application"',
            'ERROR odoo.sql_db: bad query: INSERT INTO "orestapi_application"',
            'UPDATE "orestapi_application"',
            'Login failed for login:orestapi_at_…',
        ):
            with self.subTest(line=line):
                self.assertIn(line, log)
        self.assertGreater(len(self.secrets), 25)
        for secret in self.secrets:
            for form in self.get_forms(secret):
                with self.subTest(secret=secret, form=form):
                    if form in log:
                        self.fail(f"{form} is in the log: " + next(line for line in log.split('\n') if form in line))

    def get_forms(self, secret):
        """Return a secret and its parts, each in all its notations."""
        parts = {secret}
        if parsed := parse(secret):
            parts |= {parsed.secret, parsed.mac or parsed.secret}
        for part in parts:
            yield from (part, part.swapcase(), quote(part), quote(part, safe=''), quote_plus(part), repr(part)[1:-1])
            yield base64.b64encode(part.encode()).decode().rstrip('=')[:-2]
        yield get_basic('wiki-client', secret).partition(' ')[2]

    def ask_for_codes(self):
        self.unused = self.keep_code()
        self.authenticate('mitchell', PASSWORD)
        for changes in ({'scope': 'rpc'}, {'code_challenge': 'x'}, {'client_id': 'x'}):
            self.authorize(self.get_request(**changes))
        self.decide(self.authorize(self.get_request(scope='rpc')), 'deny')
        self.logout()

    def ask_for_tokens(self):
        code = self.keep_code(scope='read rpc')
        self.keep(self.redeem(code, code_verifier='y' * 43), 400)
        self.keep(self.redeem(code, redirect_uri='https://evil.example'), 400)
        self.first = self.keep(self.redeem(code))
        self.second = self.keep(self.refresh(self.first['refresh_token']))
        repeated = self.keep(self.refresh(self.first['refresh_token']))
        self.assertEqual(self.second['refresh_token'], repeated['refresh_token'])
        self.third = self.keep(self.refresh(self.second['refresh_token'], scope='read'))
        self.fourth = self.keep(
            self.refresh(self.third['refresh_token'], auth=None, client_id='wiki-client', client_secret=CLIENT_SECRET)
        )
        self.keep(self.refresh(self.fourth['refresh_token'], scope='unknown'), 400)
        self.service = self.keep(
            self.post('/oauth2/token', {'grant_type': 'client_credentials', 'scope': 'rpc'}, self.get_auth())
        )
        replayed = self.keep_code()
        self.keep(self.redeem(replayed))
        self.keep(self.redeem(replayed), 400)
        reused = [self.keep(self.redeem(self.keep_code()))]
        for _count in range(2):
            reused.append(self.keep(self.refresh(reused[-1]['refresh_token'])))
        self.keep(self.refresh(reused[0]['refresh_token']), 400)

    def ask_wrongly(self):
        whole = {
            'grant_type': 'authorization_code',
            'client_id': 'wiki-client',
            'client_secret': CLIENT_SECRET,
            'code': self.unused,
            'code_verifier': VERIFIER,
            'refresh_token': self.fourth['refresh_token'],
            'token': self.fourth['access_token'],
        }
        encoded = urlencode(whole)
        for path in ('/oauth2/token', '/oauth2/revoke', '/oauth2/introspect'):
            self.keep(self.post(path, {**whole, 'client_secret': WRONG_SECRET}), 401)
            self.keep(self.post(path, whole, ('wiki-client', CLIENT_SECRET)), 400)
            self.keep(self.post(path, whole, headers={'Authorization': 'Bearer ' + self.fourth['access_token']}), 401)
            self.keep(self.post(path, f'{encoded}&{encoded}', headers={'Content-Type': MEDIA_TYPE}), 400)
            self.keep(self.post(path, encoded + '&x=%00', headers={'Content-Type': MEDIA_TYPE}), 400)
            self.keep(self.post(path, encoded + '&x=%ff', headers={'Content-Type': MEDIA_TYPE}), 400)
            self.keep(self.post(path, encoded, headers={'Content-Type': 'text/plain'}), 400)
            self.keep(self.post(path, json.dumps(whole), headers={'Content-Type': 'application/json'}), 400)
            self.keep(self.post(path, {**whole, 'filler': 'x' * 20_000}), 413)
            self.url_open(path, data=encoded, method='PUT', headers={'Content-Type': MEDIA_TYPE})
        for name in ('code', 'refresh_token'):
            for grant_type in ('authorization_code', 'refresh_token', 'password'):
                other = self.unused if name == 'refresh_token' else self.fourth['refresh_token']
                self.keep(
                    self.post(
                        '/oauth2/token',
                        {'grant_type': grant_type, name: other, 'password': CLIENT_SECRET},
                        self.get_auth(),
                    ),
                    400,
                )

    def use_tokens(self):
        for tokens in (self.first, self.third, self.fourth, self.service):
            for name in ('access_token', 'refresh_token'):
                if name in tokens:
                    self.post('/oauth2/introspect', {'token': tokens[name]}, self.get_auth())
                    self.call_json2(tokens[name])
                    self.call_json2(tokens[name], method='no_such_method')
                    with suppress(xmlrpc.client.Fault):
                        self.xmlrpc_object.execute_kw(
                            self.env.cr.dbname, self.user.id, tokens[name], 'res.users', 'context_get', []
                        )
                    self.xmlrpc_common.authenticate(self.env.cr.dbname, 'mitchell', tokens[name], {})
        self.keep(self.post('/oauth2/revoke', {'token': self.fourth['access_token']}, self.get_auth()))

    def administer(self):
        """Send secrets over RPC, as administrators do, in every way that writes, and in ways that fail (S8)."""
        self.secrets |= {OWN_SECRET, NEW_SECRET}
        secrets_ = {'client_secret': NEW_SECRET, 'own_secret': OWN_SECRET}
        ids, model = self.application.ids, 'orestapi.application'
        calls = (
            (model, 'create', {'name': "By RPC", **secrets_}),
            (model, 'create', [{'name': "By RPC", **secrets_}]),
            (model, 'write', ids, secrets_),
            (model, 'web_save', ids, secrets_, {'display_name': {}}),
            (model, 'web_save', [], {'name': "By RPC", **secrets_}, {'display_name': {}}),
            (model, 'copy', ids, secrets_),
            (model, 'load', ['name', 'client_secret', 'own_secret'], [["By RPC", NEW_SECRET, OWN_SECRET]]),
            (model, 'onchange', [], secrets_, ['name'], {name: {} for name in ('name', *secrets_)}),
            (model, 'search', [('own_secret', '=', OWN_SECRET)]),
            (model, 'search_read', ['|', ('own_secret', '=', OWN_SECRET), ('id', 'in', ids)], ['name']),
            # Refused by the database, which shows the row; by a constraint; by Odoo; by access rights.
            (model, 'create', {'name': "By RPC", 'client_id': 'shop-client', **secrets_}),
            (model, 'create', {**secrets_}),
            (model, 'load', ['client_id', 'name', 'own_secret'], [['shop-client', "By RPC", OWN_SECRET]]),
            (model, 'write', ids, {'access_token_expiry': -1, **secrets_}),
            (model, 'write', ids, {'no_such_field': 1, **secrets_}),
            (model, 'write', ids, {'own_secret': [OWN_SECRET], 'client_secret': {'value': NEW_SECRET}}),
            ('res.users', 'write', self.user.ids, {'no_such_field': secrets_}),
            ('orestapi.scope', 'write', [1], secrets_),
            (model, 'no_such_method', secrets_),
        )
        for name, method, *arguments in calls:
            with suppress(xmlrpc.client.Fault):
                self.call_xmlrpc(self.administrator, name, method, *arguments)
            self.url_open(
                '/jsonrpc',
                json={
                    'params': {
                        'service': 'object',
                        'method': 'execute_kw',
                        'args': [self.env.cr.dbname, self.administrator.id, PASSWORD, name, method, arguments],
                    }
                },
            )
        self.authenticate('ada', PASSWORD)
        for name, method, *arguments in calls:
            self.url_open(
                f'/web/dataset/call_kw/{name}/{method}',
                json={'params': {'model': name, 'method': method, 'args': arguments, 'kwargs': {}}},
            )
        self.logout()
        key = self.env['res.users.apikeys'].with_user(self.administrator).sudo()._generate(None, "A key", None)
        self.secrets.add(key)
        for vals in (secrets_, {'access_token_expiry': -1, **secrets_}):
            self.call_json2(key, model, 'write', ids=ids, vals=vals)
            self.call_json2(key, model, 'create', vals_list=[{'name': "By RPC", **vals}])
        self.application.client_secret = CLIENT_SECRET
        # Sent in the wrong field.
        token_ = self.fourth['access_token']
        for login, password in ((token_, 'x'), (token_, token_), ('mitchell', token_), ('no such login', token_)):
            self.xmlrpc_common.login(self.env.cr.dbname, login, password)
            self.xmlrpc_common.authenticate(self.env.cr.dbname, login, password, {})
        self.url_open(f'/json/2/res.users/context_get?access_token={token_}', json={}, method='POST')
        self.url_open(f'/web/login?redirect=/odoo&token={token_}')

    def fail_within(self):
        """Make the database refuse a row and show it, so that Odoo logs it with a traceback."""
        code = self.unused
        tokens = self.keep(self.redeem(self.keep_code()))
        self.env.cr.execute("""
            CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN RAISE EXCEPTION 'refused: %', NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON orestapi_token
                FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()
        """)
        self.keep(self.redeem(code), 500)
        self.keep(self.refresh(tokens['refresh_token']), 500)


@tagged('post_install', '-at_install')
class TestAccessLog(BaseCase):
    """The access log has no query string of this addon's paths, wherever the URL of a request ends."""

    def render(self, message, *args):
        record = logging.LogRecord('werkzeug', logging.INFO, '', 0, message, args, None)
        self.assertTrue(RequestFilter().filter(record))
        return record.getMessage()

    def test_query_strings_of_ours(self):
        for path in (
            '/orestapi/oauth2/access_token',
            '/oauth2/token',
            '/oauth2/token/',
            '/orestapi%2Foauth2%2faccess_token',
            'http://h/orestapi/record/read',
            '/.well-known/oauth-authorization-server',
            '/orestapi/1/models/"x y',
        ):
            for secret in ('s3cret', 's3" HTTP/1.1" 200 -cret', 's\u20283cret', 's3?cret'):
                with self.subTest(path=path, secret=secret):
                    line = self.render('"%s" %s %s', f'POST {path}?client_secret={secret} HTTP/1.1', 200, '-')
                    self.assertEqual(line, f'"POST {path}?… HTTP/1.1" 200 -')
        # A request line with a space in it.
        line = self.render("Bad request syntax (%r)", 'POST /orestapi/oauth2/access_token?client_secret=s3 cret x')
        self.assertNotIn('cret', line)

    def test_address_in_a_traceback(self):
        """Also after the names of this addon's files, which look like one of its paths."""
        line = self.render('Error\n  File "/x/orestapi/models/ir_http.py"\nPOST /oauth2/token?client_secret=s3cret')
        self.assertTrue(line.endswith('POST /oauth2/token?…'), line)

    def test_long_addresses(self):
        """The search takes linear time; a quadratic one would not end."""
        path = '/oauth2' * 300_000 + '/\u00a0'
        self.assertEqual(self.render(f'"GET {path}?x HTTP/1.1" 200 -'), f'"GET {path}?… HTTP/1.1" 200 -')

    def test_o01_address_that_is_a_format(self):
        """werkzeug puts the client's IP address into the format string of the line."""
        line = self.render(
            'fe80::1%eth0 - - [x] "%s" %s %s', 'POST /oauth2/token?client_secret=s3cret HTTP/1.1', 200, '-'
        )
        self.assertEqual(line, 'fe80::1%eth0 - - [x] "POST /oauth2/token?… HTTP/1.1" 200 -')
        for wrong in ('%s "%s" %s %s', '%(x)s "%s" %s %s'):
            with self.subTest(wrong=wrong):
                self.assertNotIn(
                    's3cret', self.render(wrong, 'POST /oauth2/token?client_secret=s3cret HTTP/1.1', 200, '-')
                )

    def test_s08_tokens_anywhere(self):
        for name in ('access_token=orestapi_at_1_' + 's3cret' * 7, 'x=orestapi%5Frt%5F1_2_s3cret_s3cret'):
            with self.subTest(name=name):
                line = self.render('"%s" %s %s', f'GET /json/2/x?{name}&y=z HTTP/1.1', 200, '-')
                self.assertNotIn('s3cret', line)
                self.assertTrue(line.endswith('&y=z HTTP/1.1" 200 -'), line)

    def test_s08_statements(self):
        """All values are hidden if one of them is stored in plain text; other statements are unchanged."""
        for message, args, expected in (
            (
                '[%.3f ms] query: %s',
                (1, """UPDATE "orestapi_application" SET "own_secret" = "x" FROM (VALUES (1, E's\\'3cret'))"""),
                '[1.000 ms] query: UPDATE "orestapi_application" SET "own_secret" = "x" FROM (VALUES (1, E…',
            ),
            (
                'bad query: %s\nERROR: %s',
                (b"""INSERT INTO "orestapi_application" ("own_secret") VALUES ('s3cret')""", "row (s3cret)"),
                'bad query: INSERT INTO "orestapi_application" ("own_secret") VALUES (…',
            ),
            ('query: %s', ("SELECT 1 FROM x WHERE y = 'z'",), "query: SELECT 1 FROM x WHERE y = 'z'"),
            ('no arguments: 100 %', (), 'no arguments: 100 %'),
        ):
            with self.subTest(message=message):
                record = logging.LogRecord('odoo.sql_db', logging.DEBUG, '', 0, message, args, None)
                self.assertTrue(StatementFilter().filter(record))
                self.assertEqual(record.getMessage(), expected)

    def test_s08_calls(self):
        for model, arguments, shown in (
            ('orestapi.application()', "{'client_secret': 's3cret'}", False),
            ('res.partner()', "{'name': 'A partner'}", True),
            ('other.model()', "{'line_ids': [(0, 0, {'own_secret': 's3cret'})]}", False),
        ):
            with self.subTest(model=model):
                record = logging.LogRecord(
                    'odoo.service.model', logging.DEBUG, '', 0, 'call %s.%s(%s)', (model, 'create', arguments), None
                )
                self.assertTrue(CallFilter().filter(record))
                self.assertEqual(record.getMessage(), f'call {model}.create({arguments if shown else "…"})')

    def test_others_stay(self):
        for line in ('"GET /web?debug=1 HTTP/1.1" 200 -', '"GET /orestapi/version HTTP/1.1" 200 -'):
            with self.subTest(line=line):
                self.assertEqual(self.render(line), line)
