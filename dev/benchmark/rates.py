"""Requests per second, compared with Odoo's floor, with the peer, and with many stored sign-ins."""

import dataclasses
import random

from dev.workbench.cache import Progress

from . import calls
from .closed_loop import Measurement, run_interleaved
from .fill import VERIFIER
from .result import compare_rates

FEW = 1000  # sign-ins of a database that counts as empty
ROUNDS = 8
SECONDS = 2  # of a slice
MAX_RATE = 1500  # exchanges of codes per second to prepare for
CODES = (ROUNDS + 1) * SECONDS * MAX_RATE


@dataclasses.dataclass
class Comparison:
    """Two measurements, and the ratio of the first to the second that must be reached."""

    part: str
    figure: str
    ours: str
    theirs: str
    bar: float


COMPARISONS = (
    Comparison('introspect', "Introspection, against `/web/health`", 'introspect', 'health', 0.75),
    Comparison('introspect', "Introspection, against django-oauth-toolkit", 'introspect', 'peer_introspect', 1.1),
    Comparison('refresh', "Refresh, against django-oauth-toolkit", 'refresh', 'peer_refresh', 2.0),
    Comparison('code', "Code exchange, against django-oauth-toolkit", 'code', 'peer_code', 1.5),
    Comparison(
        'records', "Five partners on the records API, against JSON-2 with an API key", 'records', 'json2_key', 2.0
    ),
    Comparison('json2', "JSON-2 with our token, against JSON-2 with an API key", 'json2', 'json2_key', 1.7),
    Comparison(
        'openid', "Code exchange with ID token, against django-oauth-toolkit", 'openid_code', 'openid_peer_code', 1.3
    ),
    Comparison('openid', "Code exchange with ID token, against without", 'openid_code', 'code', 0.75),
    Comparison('openid', "UserInfo, against `/web/health`", 'userinfo', 'health', 0.7),
    Comparison('openid', "Discovery, against `/web/health`", 'openid_configuration', 'health', 0.9),
    Comparison('openid', "Key set, against `/web/health`", 'jwks', 'health', 0.9),
    Comparison('many', "Introspection with {rows} sign-ins, against {few}", 'many_introspect', 'introspect', 0.9),
    Comparison('many', "Refresh with {rows} sign-ins, against {few}", 'many_refresh', 'refresh', 0.9),
    Comparison('many', "Bearer call with {rows} sign-ins, against {few}", 'many_json2', 'json2', 0.9),
)


class Measurements:
    """The measurements by name, in the order of a round, which keeps compared ones close together.

    :param Servers servers: the running servers
    """

    def __init__(self, servers):
        self.servers = servers

    def health(self):
        return self._get_measurement("/web/health", self.servers.few, calls.health())

    def introspect(self):
        return self._introspect(self.servers.few)

    def many_introspect(self):
        return self._introspect(self.servers.many)

    def peer_introspect(self):
        return self._get_measurement("introspection", self.servers.peer, self.servers.peer.introspect())

    def refresh(self):
        return self._refresh(self.servers.few)

    def many_refresh(self):
        return self._refresh(self.servers.many)

    def peer_refresh(self):
        return self._get_measurement("refresh", self.servers.peer, self.servers.peer.refresh())

    def code(self):
        odoo = self.servers.few
        return self._get_measurement(
            "code exchange", odoo, calls.redeem(odoo.application, odoo.sign_ins.issue_codes(CODES), VERIFIER)
        )

    def peer_code(self):
        return self._get_measurement("code exchange", self.servers.peer, self.servers.peer.redeem())

    def openid_code(self):
        odoo = self.servers.few
        codes = odoo.sign_ins.issue_codes(CODES, openid=True)
        return self._get_measurement(
            "code exchange with ID token", odoo, calls.redeem(odoo.application, codes, VERIFIER, openid=True)
        )

    def openid_peer_code(self):
        peer = self.servers.openid_peer
        return self._get_measurement("code exchange with ID token", peer, peer.redeem())

    def userinfo(self):
        odoo = self.servers.few
        tokens = odoo.sign_ins.issue_openid_tokens(FEW)
        return self._get_measurement("UserInfo", odoo, calls.userinfo(lambda: random.choice(tokens)))

    def openid_configuration(self):
        return self._get_measurement("discovery", self.servers.few, calls.openid_configuration())

    def jwks(self):
        return self._get_measurement("key set", self.servers.few, calls.jwks())

    def json2_key(self):
        odoo = self.servers.few
        key = odoo.get_api_key()
        return self._get_measurement("JSON-2 with an API key", odoo, calls.json2(lambda: key, odoo.partners))

    def json2(self):
        return self._json2(self.servers.few)

    def many_json2(self):
        return self._json2(self.servers.many)

    def records(self):
        odoo = self.servers.few
        return self._get_measurement(
            "records API", odoo, calls.records(odoo.sign_ins.get_user_access_token, odoo.partners)
        )

    def _introspect(self, odoo):
        return self._get_measurement(
            "introspection", odoo, calls.introspect(odoo.application, odoo.sign_ins.get_any_access_token)
        )

    def _refresh(self, odoo):
        return self._get_measurement(
            "refresh", odoo, calls.refresh(odoo.application, odoo.sign_ins.reset_refresh_tokens())
        )

    def _json2(self, odoo):
        return self._get_measurement(
            "JSON-2 with our token", odoo, calls.json2(odoo.sign_ins.get_user_access_token, odoo.partners)
        )

    @staticmethod
    def _get_measurement(name, server, clients):
        return Measurement(name, server.port, clients)


ORDER = (
    'health',
    'openid_configuration',
    'jwks',
    'userinfo',
    'introspect',
    'peer_introspect',
    'many_introspect',
    'refresh',
    'peer_refresh',
    'many_refresh',
    'code',
    'peer_code',
    'openid_code',
    'openid_peer_code',
    'json2_key',
    'json2',
    'many_json2',
    'records',
)


def measure(servers, parts):
    """Run the requests of all comparisons of `parts` in one interleaved run and return the results."""
    comparisons = [comparison for comparison in COMPARISONS if comparison.part in parts]
    names = {name for comparison in comparisons for name in (comparison.ours, comparison.theirs)}
    makers = Measurements(servers)
    measurements = {name: getattr(makers, name)() for name in ORDER if name in names}
    if not measurements:
        return []
    progress = Progress(f'{len(measurements)} kinds of requests, {ROUNDS} rounds of {SECONDS} s each')
    run_interleaved(list(measurements.values()), ROUNDS, SECONDS, lambda number: progress.show(number, ROUNDS))
    progress.finish()
    return [
        compare_rates(
            servers.render(comparison.figure),
            measurements[comparison.ours],
            measurements[comparison.theirs],
            comparison.bar,
        )
        for comparison in comparisons
    ]
