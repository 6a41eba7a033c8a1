"""Random histories of one sign-in, against a model of ten lines (RFC 9700 §4.14.2)."""

import dataclasses
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from oauth2 import tokens
from oauth2.client import CONFIDENTIAL, Client
from oauth2.errors import InvalidGrant, InvalidScope
from oauth2.grants import refresh_token
from oauth2.sign_in import AccessToken, SignIn

KEY = b'key of the MAC'
START = datetime(2026, 11, 25)


class Histories(RuleBasedStateMachine):
    """Holds a row as the database would, and all refresh tokens ever issued.

    The model is `alive`, the `current` token, and when it was issued. Everything else
    that the grant decides must follow from these three.
    """

    @initialize(
        grace=st.sampled_from([0, 10]), refresh_expiry=st.sampled_from([0, 100]), whole=st.sampled_from([0, 300])
    )
    def open(self, grace, refresh_expiry, whole):
        self.now = START
        self.client = Client(
            id=1,
            client_id='app',
            client_type=CONFIDENTIAL,
            active=True,
            scope=frozenset({'read'}),
            refresh_token_grace=grace,
            refresh_token_expiry=refresh_expiry,
            sign_in_expiry=whole,
        )
        self.issued = []
        secret = tokens.generate_secret()
        self.row = SignIn(
            id=7,
            client=self.client,
            user_id=5,
            username='ada',
            is_service=False,
            scope=frozenset({'read'}),
            access=AccessToken('x', 'read', START + timedelta(hours=1)),
            previous_access=AccessToken(None, None, None),
            refresh_digest=tokens.compute_digest(secret),
            refresh_salt=None,
            generation=0,
            signed_in_at=START,
            refreshed_at=START,
            last_used_at=START,
            revoked_at=None,
            user_active=True,
            user_allowed=True,
        )
        self._issue(secret)
        self.alive = True

    def _issue(self, secret):
        string = tokens.render_refresh_token(KEY, self.row.id, self.row.generation, secret)
        self.issued.append(tokens.parse(string))

    def _decide(self, presented, scope=None):
        is_genuine = tokens.is_genuine(KEY, presented)
        return refresh_token.decide(presented, is_genuine, self.row, scope, self.client, self.now)

    def _is_over(self):
        limit, whole = self.client.refresh_token_expiry, self.client.sign_in_expiry
        elapsed, since = self.now - self.row.refreshed_at, self.now - START
        return bool((limit and elapsed.seconds >= limit) or (whole and since.seconds >= whole))

    @rule(seconds=st.sampled_from([1, 5, 11, 60, 120]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(data=st.data())
    def present(self, data):
        index = data.draw(st.integers(0, len(self.issued) - 1))
        presented, is_current = self.issued[index], index == len(self.issued) - 1
        in_grace = (
            index == len(self.issued) - 2
            and self.client.refresh_token_grace
            and (self.now - self.row.refreshed_at).seconds <= self.client.refresh_token_grace
        )
        try:
            decision = self._decide(presented)
        except InvalidGrant:
            assert not self.alive or self._is_over()
            return
        assert self.alive and not self._is_over()
        if is_current:
            assert decision == refresh_token.Rotate(frozenset({'read'}))
            self._rotate(presented)
        elif in_grace:
            assert tokens.has_digest(decision.refresh_secret, self.row.refresh_digest)
            assert decision.refresh_secret == self.issued[-1].secret
        else:
            assert decision.reason == 'refresh_token_reused'
            self._end()

    def _rotate(self, presented):
        salt = 'salt' * 16 if self.client.refresh_token_grace else None
        secret = refresh_token.derive_secrets(presented, salt)[1] if salt else tokens.generate_secret()
        self.row = dataclasses.replace(
            self.row,
            refresh_digest=tokens.compute_digest(secret),
            refresh_salt=salt,
            generation=self.row.generation + 1,
            refreshed_at=self.now,
        )
        self._issue(secret)

    def _end(self):
        self.alive = False
        self.row = dataclasses.replace(self.row, revoked_at=self.now)

    @precondition(lambda self: self.alive)
    @rule()
    def revoke(self):
        self._end()

    @rule()
    def forge(self):
        """A forged token ends nothing, whatever generation it claims."""
        for generation in (0, self.row.generation, self.row.generation + 1):
            forged = tokens.render_refresh_token(b'another key', self.row.id, generation, tokens.generate_secret())
            with pytest.raises(InvalidGrant):
                self._decide(tokens.parse(forged))

    @rule()
    def ask_for_more(self):
        """A request for more scope than the user allowed leaves the token unchanged."""
        if self.alive and not self._is_over():
            with pytest.raises(InvalidScope):
                self._decide(self.issued[-1], scope='read rpc')

    @rule()
    def lose_the_right(self):
        if self.alive and not self._is_over():
            row, self.row = self.row, dataclasses.replace(self.row, user_allowed=False)
            assert self._decide(self.issued[-1]).reason == 'user_not_allowed'
            self.row = row

    @rule()
    def as_another_application(self):
        other = dataclasses.replace(self.client, id=2)
        for presented in self.issued:
            with pytest.raises(InvalidGrant):
                refresh_token.decide(presented, True, self.row, None, other, self.now)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=20)


def test_generation_of_the_future_ends_nothing():
    """A genuine token of a row that was restored from a backup is refused, without further effects."""
    machine = Histories()
    machine.open(grace=0, refresh_expiry=0, whole=0)
    future = tokens.parse(tokens.render_refresh_token(KEY, 7, 5, tokens.generate_secret()))
    with pytest.raises(InvalidGrant) as refusal:
        machine._decide(future)
    assert refusal.value.reason == 'refresh_token_used'


def test_service_has_no_refresh_token():
    machine = Histories()
    machine.open(grace=0, refresh_expiry=0, whole=0)
    machine.row = dataclasses.replace(machine.row, is_service=True, refresh_digest=None)
    with pytest.raises(InvalidGrant):
        machine._decide(machine.issued[-1])
    # Nor does a forged one of an earlier generation end it.
    machine.row = dataclasses.replace(machine.row, generation=1)
    with pytest.raises(InvalidGrant):
        machine._decide(machine.issued[-1])


def test_another_kind_of_token():
    machine = Histories()
    machine.open(grace=0, refresh_expiry=0, whole=0)
    access = tokens.parse(tokens.render(tokens.ACCESS_TOKEN, 7, machine.issued[-1].secret))
    with pytest.raises(InvalidGrant):
        refresh_token.decide(access, True, machine.row, None, machine.client, START)
    with pytest.raises(InvalidGrant):
        refresh_token.decide(None, False, None, None, machine.client, START)


def _open(**changes):
    machine = Histories()
    machine.open(grace=0, refresh_expiry=100, whole=0)
    machine.row = dataclasses.replace(machine.row, **changes)
    return machine


@pytest.mark.parametrize(
    ('row', 'client', 'seconds', 'reason'),
    [
        ({}, {'id': 2}, 0, 'refresh_token_other_application'),
        ({'refresh_digest': None}, {}, 0, 'refresh_token_unknown'),
        ({'refresh_digest': tokens.compute_digest('other')}, {}, 0, 'refresh_token_unknown'),
        ({'revoked_at': START}, {}, 0, 'refresh_token_revoked'),
        ({}, {}, 100, 'refresh_token_expired'),
        ({}, {'scope': frozenset({'rpc'})}, 0, 'scope_gone'),
    ],
)
def test_the_event_tells_the_reason_and_the_user(row, client, seconds, reason):
    """The application learns little; the administrator reads why, and of whom (A8)."""
    machine = _open(**row)
    client = dataclasses.replace(machine.client, **client)
    with pytest.raises((InvalidGrant, InvalidScope)) as refusal:
        refresh_token.decide(machine.issued[-1], True, machine.row, None, client, START + timedelta(seconds=seconds))
    assert refusal.value.reason == reason
    assert refusal.value.user_id == machine.row.user_id


@pytest.mark.parametrize(
    ('is_token', 'is_genuine', 'has_row', 'reason'),
    [
        (False, False, False, 'refresh_token_malformed'),
        (True, False, True, 'refresh_token_unknown'),
        (True, True, False, 'refresh_token_gone'),
    ],
)
def test_the_event_tells_what_is_no_refresh_token(is_token, is_genuine, has_row, reason):
    machine = _open()
    token = machine.issued[-1] if is_token else None
    with pytest.raises(InvalidGrant) as refusal:
        refresh_token.decide(token, is_genuine, machine.row if has_row else None, None, machine.client, START)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ('row', 'end'),
    [
        ({'user_allowed': False}, ('user_not_allowed', 'user_not_allowed')),
        ({'user_allowed': False, 'user_active': False}, ('user_not_allowed', 'user_archived')),
        ({'generation': 2}, ('refresh_token_reused', 'refresh_token_used')),
    ],
)
def test_the_end_of_a_sign_in_has_a_reason(row, end):
    machine = _open(**row)
    decision = machine._decide(machine.issued[-1])
    assert (decision.reason, decision.refusal) == end


@pytest.mark.parametrize(('seconds', 'expected'), [(10, refresh_token.Repeat), (10.001, refresh_token.End)])
def test_the_grace_period_includes_its_last_moment(seconds, expected):
    machine = Histories()
    machine.open(grace=10, refresh_expiry=0, whole=0)
    presented = machine.issued[-1]
    _access_secret, refresh_secret = refresh_token.derive_secrets(presented, 'salt')
    machine.row = dataclasses.replace(
        machine.row, generation=1, refresh_salt='salt', refresh_digest=tokens.compute_digest(refresh_secret)
    )
    machine.now = START + timedelta(seconds=seconds)
    assert isinstance(machine._decide(presented), expected)


def test_secrets_are_in_no_repr():
    """N109; RFC 6819 §4.6.7."""
    request = refresh_token.Request(refresh_token='hunter2')
    assert request.scope is None
    assert 'hunter' not in repr(request) + repr(refresh_token.Repeat('hunter3', 'hunter4'))
