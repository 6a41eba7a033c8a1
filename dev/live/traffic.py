"""Devices that sign in and refresh without a pause, and record every response that they got or lost."""

import collections
import secrets
import threading
import time

from dev.workbench import oauth2_client, wire

#: Refreshes of one sign-in before the device signs in again.
REFRESHES = 4

#: Seconds until a lost request is sent again.
PAUSE = 0.05


class Device(threading.Thread):
    """One device of a user with an application that behaves as docs/reports/live.md describes.

    :ivar list held: the last token response of each sign-in that the device relies on
    :ivar Counter counts: how often it did what
    :ivar list violations: sentences about forbidden responses
    """

    def __init__(self, live, application, cookie, *, grace=False):
        """
        :param Live live: the server
        :param Application application: trusted, so that nobody needs to press Allow
        :param str cookie: the cookie header of a browser that is logged in
        :param bool grace: whether the application has a grace period for refresh tokens
        """
        super().__init__()
        self.live = live
        self.application = application
        self.cookie = cookie
        self.grace = grace
        self.stopped = threading.Event()
        self.held = []
        self.counts = collections.Counter()
        self.statuses = collections.Counter()
        self.violations = []

    def run(self):
        while not self.stopped.is_set():
            tokens = self.sign_in()
            for _number in range(REFRESHES):
                if tokens is None or self.stopped.is_set():
                    break
                tokens = self.refresh(tokens)
            if tokens:
                self.held.append(tokens)

    def insist(self, what, send):
        """Send a request until it gets a response; return the response and the number of lost ones."""
        lost = 0
        while True:
            try:
                answer = send()
            except wire.ConnectionLost:
                self.statuses['connection closed'] += 1
            else:
                self.statuses[answer.status] += 1
                if answer.status != 503:
                    self.counts[what] += 1
                    return answer, lost
            lost += 1
            self.counts[f'{what} lost'] += 1
            time.sleep(PAUSE)

    def post(self, what, path, parameters):
        request = wire.render('POST', f'/oauth2/{path}', *oauth2_client.encode_form(self.application, parameters))
        return self.insist(what, lambda: wire.send(self.live.server.port, request))

    def complain(self, sentence, answer):
        self.violations.append(f'{sentence} {answer.status} {answer.body[:300]!r}')

    def sign_in(self):
        verifier = secrets.token_urlsafe(48)
        code = self.get_code(verifier)
        if code is None:
            return None
        parameters = oauth2_client.request_tokens(code, self.application.redirect_uri, verifier)
        answer, lost = self.post('exchange', 'token', parameters)
        return self.take("A code was refused:", answer, lost, repeatable=False)

    def get_code(self, verifier):
        path = oauth2_client.get_authorization_path(
            self.application.client_id, self.application.redirect_uri, verifier, scope='read rpc'
        )
        request = wire.render('GET', path, {'Cookie': self.cookie})
        answer, _lost = self.insist('authorization', lambda: wire.send(self.live.server.port, request))
        location = answer.headers.get('location', '')
        if code := oauth2_client.read_code(location):
            self.live.note(code)
            return code
        if 'error=temporarily_unavailable' in location:
            self.counts['authorization put off'] += 1
        else:
            self.complain(f"No code but {location}:", answer)
            time.sleep(PAUSE)
        return None

    def refresh(self, tokens):
        answer, lost = self.post('refresh', 'token', oauth2_client.request_refresh(tokens['refresh_token']))
        new = self.take("A refresh token was refused:", answer, lost, repeatable=self.grace)
        if new:
            if not self.is_active(new['access_token']):
                self.violations.append("A new access token does not work.")
            if self.is_active(tokens['refresh_token']):
                self.violations.append("Two refresh tokens of one sign-in work.")
        return new

    def take(self, sentence, answer, lost, *, repeatable):
        """Return the tokens of a response, or None when the user must sign in again.

        :param bool repeatable: whether a lost response may be requested again
        """
        if answer.status == 200:
            tokens = answer.json()
            self.live.note(tokens['access_token'], tokens['refresh_token'])
            if lost:
                self.counts['answers repeated'] += 1
            return tokens
        if answer.status == 400 and answer.json()['error'] == 'invalid_grant' and lost and not repeatable:
            self.counts['signed in again'] += 1
        else:
            self.complain(sentence, answer)
        return None

    def is_active(self, token):
        answer, _lost = self.post('introspection', 'introspect', {'token': token})
        return answer.json()['active']


class Traffic:
    """Four devices, two for each kind of application, which run during a ``with`` block."""

    def __init__(self, live):
        self.live = live
        self.applications = [live.register(trusted=True), live.register(trusted=True, refresh_token_grace=60)]
        cookie = live.get_cookie()
        self.devices = [
            Device(live, application, cookie, grace=grace)
            for application, grace in zip(self.applications, (False, True), strict=True)
            for _number in range(2)
        ]

    def __enter__(self):
        for device in self.devices:
            device.start()
        return self

    def __exit__(self, *exception):
        for device in self.devices:
            device.stopped.set()
        for device in self.devices:
            device.join()

    @property
    def counts(self):
        return sum((device.counts for device in self.devices), collections.Counter())

    @property
    def statuses(self):
        return sum((device.statuses for device in self.devices), collections.Counter())

    @property
    def lost(self):
        # May be called while the devices are running.
        return sum(device.counts[f'{what} lost'] for device in self.devices for what in ('exchange', 'refresh'))

    def check(self):
        """Compare the tokens of the devices with working tokens and stored rows; return a sentence with the counts."""
        violations = [violation for device in self.devices for violation in device.violations]
        assert not violations, '\n'.join(violations[:10])
        held = 0
        for device in self.devices:
            held += len(device.held)
            for tokens in device.held:
                assert device.is_active(tokens['access_token']), "A device holds an access token that does not work."
                assert device.is_active(tokens['refresh_token']), "A device holds a refresh token that does not work."
        ids = [application.id for application in self.applications]
        assert self.live.count_sign_ins(ids, "revoked_at IS NULL") == held, "Somebody holds tokens besides the devices."
        [[half, shared, used]] = self.live.execute(
            """
            SELECT count(*) FILTER (WHERE token.id IS NULL),
                   count(opened_token_id) - count(DISTINCT opened_token_id),
                   count(*)
              FROM orestapi_authorization_code AS code
              JOIN orestapi_authorization AS "authorization" ON "authorization".id = code.authorization_id
              LEFT JOIN orestapi_token AS token ON token.id = opened_token_id
             WHERE used_at IS NOT NULL AND application_id = ANY(%s)
            """,
            [ids],
        )
        assert half == 0, "A code was used up and gave no tokens."
        assert shared == 0
        assert self.live.count_sign_ins(ids) == used, "One code gave tokens twice."
        counts = self.counts
        return (
            f"{counts['exchange']} exchanges and {counts['refresh']} refreshes answered, "
            f"{counts['exchange lost']} and {counts['refresh lost']} answers lost "
            f"({counts['answers repeated']} repeated, {counts['signed in again']} signed in again); "
            f"{held} sign-ins held, all of them work; {used} sign-ins stored, "
            f"{self.live.count_sign_ins(ids, 'revoked_at IS NULL')} of them alive"
        )
