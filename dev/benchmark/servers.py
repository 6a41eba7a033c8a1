"""The servers under load: Odoo with few and with many sign-ins, and the peer. Each starts when it is first needed."""

import dataclasses
import functools

from dev.workbench.cache import Progress
from dev.workbench.odoo_server import MODULE

from . import django_oauth_toolkit, rates
from .fill import USER, SignIns, register
from .rates import FEW

WORKERS = 2


@dataclasses.dataclass
class Partners:
    """The records to read.

    :ivar list ids: their ids
    :ivar bytes expected: text that the response must contain
    """

    ids: list
    expected: bytes


class Odoo:
    """A running Odoo with sign-ins in it."""

    def __init__(self, bench, server, number):
        self.bench = bench
        self.server = server
        self.port = server.port
        server.call('ir.config_parameter', 'set_param', f'{MODULE}.issuer', server.url)
        self.application = register(server)
        self.sign_ins = SignIns(bench.postgres, server.database, self.application)
        progress = Progress(f'{number} sign-ins in the database {server.database}')
        self.sign_ins.fill(number)
        progress.finish()
        found = server.call('res.partner', 'search_read', [], ['name'], limit=5, login=USER, password=USER)
        self.partners = Partners([each['id'] for each in found], found[-1]['name'].encode())

    def get_api_key(self):
        """Return an API key of the user whose tokens are measured too."""
        [key] = self.bench.run_script(
            self.server.database,
            f"""
            user = env['res.users'].search([('login', '=', {USER!r})])
            print(env['res.users.apikeys'].with_user(user).sudo()._generate('rpc', "Benchmark", None))
            """,
        )
        return key


class Servers:
    """The servers and databases of the benchmark.

    :param int rows: the number of sign-ins of the large database
    """

    def __init__(self, bench, stack, rows):
        self.bench = bench
        self.stack = stack
        self.rows = rows

    def render(self, figure):
        """Put the numbers of sign-ins into the name of a figure."""
        return figure.format(rows=f'{self.rows:,}'.replace(',', ' '), few=f'{FEW:,}'.replace(',', ' '))

    def _serve(self, database, number):
        # Without cron, because Odoo's daily clean-up would disturb the measurements.
        server = self.stack.enter_context(
            self.bench.serve(database, '--max-cron-threads', '0', workers=WORKERS, lean=False)
        )
        return Odoo(self.bench, server, number)

    @functools.cached_property
    def plain_database(self):
        return self.stack.enter_context(self.bench.database('plain', install=False))

    @functools.cached_property
    def few_database(self):
        return self.stack.enter_context(self.bench.database('benchmark'))

    @functools.cached_property
    def few(self):
        return self._serve(self.few_database, FEW)

    @functools.cached_property
    def many(self):
        # Kept in the cache, because filling it takes minutes.
        database = f'{MODULE}_benchmark_{self.rows}'
        self.bench.prepare(database)
        return self._serve(database, self.rows)

    @functools.cached_property
    def peer(self):
        return self.stack.enter_context(django_oauth_toolkit.serve(self.bench, FEW, rates.CODES))

    @functools.cached_property
    def openid_peer(self):
        """The peer with its OpenID Connect switched on, which costs all of its requests something."""
        return self.stack.enter_context(django_oauth_toolkit.serve(self.bench, FEW, rates.CODES, openid=True))
