import os
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.vacuum import VACUUM_BATCH
from .common import OAuth2Case


@tagged('post_install', '-at_install')
class TestRetention(OAuth2Case):
    """Which rows of this addon Odoo's daily clean-up removes, and when."""

    def setUp(self):
        super().setUp()
        self.stop_clock()
        # Removes events that were logged while the clock was running.
        self.env.cr.execute(SQL("UPDATE orestapi_event SET create_date = %s", fields.Datetime.now()))

    def clean_up(self):
        """Run the addon's part of the daily clean-up, and return how many rows it removed."""
        self.env.flush_all()
        before = self.count()
        for model, method in (
            ('orestapi.authorization.code', '_gc_expired'),
            ('orestapi.token', '_gc_ended'),
            ('orestapi.token', '_gc_services'),
            ('orestapi.token', '_gc_expired'),
            ('orestapi.token', '_gc_not_allowed'),
            ('orestapi.event', '_gc_retention'),
            ('orestapi.authentication.failure', '_gc_uncounted'),
        ):
            getattr(self.env[model], method)()
            self.env.invalidate_all()
        after = self.count()
        return {name: before[name] - after[name] for name in before if before[name] != after[name]}

    def count(self):
        return {
            name: self.env.execute_query(SQL("SELECT count(*) FROM %s", SQL.identifier(f'orestapi_{name}')))[0][0]
            for name in ('authorization', 'authorization_code', 'token', 'event', 'authentication_failure')
        }

    def test_daily(self):
        """Odoo's own job runs the methods that remove rows of this addon."""
        self.application.authorization_code_expiry = 1
        self.sign_in()
        self.env['orestapi.token'].search([]).action_revoke()
        self.env.flush_all()
        job = self.env.ref('base.autovacuum_job')
        # Sessions are files shared with other databases: with a time a year from now, all would be removed.
        self.startPatcher(patch.dict(os.environ, ODOO_SKIP_GC_SESSIONS='1'))
        with self.later(days=366), self.registry.cursor() as cr:
            vacuum = self.env(cr=cr, context={'cron_id': job.id})['ir.autovacuum']
            vacuum._run_vacuum_cleaner()
        self.env.invalidate_all()
        self.assertEqual(self.count(), {**dict.fromkeys(self.count(), 0), 'authorization': 1})

    # Authorization codes

    def test_codes_not_retained(self):
        """0 days: at the first clean-up after a code has expired, used or not."""
        self.assertEqual(self.application.authorization_code_retain, 0)
        self.get_code()
        self.sign_in()
        with self.later(seconds=599):
            self.assertEqual(self.clean_up(), {})
        with self.later(seconds=600):
            self.assertEqual(self.clean_up(), {'authorization_code': 2})

    def test_codes_retained(self):
        self.application.authorization_code_retain = 7
        code = self.get_code()
        self.sign_in()
        for delta in ({'seconds': 600}, {'days': 1}, {'days': 7}, {'days': 7, 'seconds': 599}):
            with self.subTest(delta=delta), self.later(**delta):
                self.assertEqual(self.clean_up(), {})
        # Kept, but still of no use.
        with self.later(seconds=600):
            self.assertOAuth2Error(self.redeem(code), 400, 'invalid_grant')
        with self.later(days=7, seconds=600):
            self.assertEqual(self.clean_up(), {'authorization_code': 2})
            self.assertOAuth2Error(self.redeem(code), 400, 'invalid_grant')

    def test_codes_by_application(self):
        """The current setting of the application applies."""
        self.application.authorization_code_retain = 7
        self.get_code()
        self.get_code(self.other)
        with self.later(days=1):
            self.assertEqual(self.clean_up(), {'authorization_code': 1})
            remaining = self.env['orestapi.authorization.code'].search([])
            self.assertEqual(remaining.application_id, self.application)
            self.application.authorization_code_retain = 0
            self.assertEqual(self.clean_up(), {'authorization_code': 1})

    def test_codes_of_an_archived_application(self):
        self.get_code()
        self.application.action_archive()
        with self.later(days=1):
            self.assertEqual(self.clean_up(), {'authorization_code': 1})

    def test_code_replayed_while_retained(self):
        """Its record tells a replay even days later, and the sign-in ends."""
        self.application.authorization_code_retain = 7
        code = self.get_code()
        tokens = self.redeem(code).json()
        with self.later(days=6):
            self.assertOAuth2Error(self.redeem(code), 400, 'invalid_grant')
            self.assertInactive(tokens['refresh_token'])

    def test_code_replayed_after_its_record_was_removed(self):
        """It is refused like an unknown code. The sign-in continues, because the reuse can no longer be detected."""
        code = self.get_code()
        tokens = self.redeem(code).json()
        with self.later(days=1):
            self.assertEqual(self.clean_up(), {'authorization_code': 1})
            self.assertOAuth2Error(self.redeem(code), 400, 'invalid_grant')
            self.assertActive(tokens['refresh_token'])

    # Sign-ins

    def test_n226_only_what_cannot_work_again(self):
        """A sign-in is kept as long as one of its tokens works or the reuse of an old one could be recognized."""
        self.application.authorization_code_expiry = 1
        tokens = self.sign_in()
        with self.later(days=400):
            self.assertEqual(self.clean_up()['authorization_code'], 1)
            self.assertEqual(self.count()['token'], 1)
            # Without limits, a sign-in lasts for ever.
            refreshed = self.refresh(tokens['refresh_token']).json()
            self.assertIn('access_token', refreshed)
            self.assertEqual(self.clean_up(), {})
            # Reuse of the first token is recognized after all that time.
            self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')
            self.assertInactive(refreshed['access_token'], refreshed['refresh_token'])
            self.assertEqual(self.clean_up(), {'token': 1})
            self.assertOAuth2Error(self.refresh(refreshed['refresh_token']), 400, 'invalid_grant')

    def test_n226_ended(self):
        tokens, second = self.sign_in(), self.sign_in()
        self.post('/oauth2/revoke', {'token': tokens['access_token']}, self.get_auth())
        self.assertEqual(self.clean_up(), {'token': 1})
        self.assertInactive(tokens['access_token'], tokens['refresh_token'])
        self.assertActive(second['access_token'], second['refresh_token'])
        # Authorizations and events are kept.
        self.assertEqual(self.count()['authorization'], 1)
        self.assertTrue(self.env['orestapi.event'].search([('kind', '=', 'token_revoked')]))

    def test_n226_idle_limit(self):
        self.application.write({'refresh_token_expiry': 86400, 'authorization_code_retain': 3650})
        tokens = self.sign_in()
        with self.later(seconds=86399):
            self.assertEqual(self.clean_up(), {})
            refreshed = self.refresh(tokens['refresh_token']).json()
        with self.later(seconds=86400 + 86398):
            self.assertEqual(self.clean_up(), {})
        with self.later(seconds=86399 + 86400):
            self.assertEqual(self.clean_up(), {'token': 1})
            self.assertOAuth2Error(self.refresh(refreshed['refresh_token']), 400, 'invalid_grant')

    def test_n226_absolute_limit(self):
        self.application.write({'sign_in_expiry': 86400, 'authorization_code_retain': 3650})
        tokens = self.sign_in()
        with self.later(seconds=86000):
            tokens = self.refresh(tokens['refresh_token']).json()
        with self.later(seconds=86400):
            # No access token outlives the sign-in.
            self.assertInactive(tokens['access_token'], tokens['refresh_token'])
            self.assertEqual(self.clean_up(), {'token': 1})

    def test_n226_without_limits(self):
        """If the sign-ins of no application expire, none of them is read."""
        applications = self.env['orestapi.application'].with_context(active_test=False).search([])
        applications.write({'refresh_token_expiry': 0, 'sign_in_expiry': 0})
        self.env.flush_all()
        with self.assertQueryCount(1):
            self.assertEqual(self.env['orestapi.token']._gc_expired(), (0, False))

    def test_n226_previous_access_token(self):
        """An access token with a longer lifetime than the current setting ends with the sign-in too."""
        self.application.write({
            'access_token_expiry': 86400,
            'refresh_token_expiry': 3600,
            'authorization_code_retain': 3650,
        })
        tokens = self.sign_in()
        self.refresh(tokens['refresh_token'])
        with self.later(seconds=3599):
            self.assertEqual(self.clean_up(), {})
            self.assertActive(tokens['access_token'])
        with self.later(seconds=3600):
            self.assertInactive(tokens['access_token'])
            self.assertEqual(self.clean_up(), {'token': 1})

    def test_n226_service_user(self):
        self.application.service_user_id = self.user
        response = self.post('/oauth2/token', {'grant_type': 'client_credentials'}, self.get_auth())
        self.assertEqual(response.status_code, 200)
        with self.later(seconds=3599):
            self.assertEqual(self.clean_up(), {})
        with self.later(seconds=3600):
            self.assertEqual(self.clean_up(), {'token': 1})

    def test_n226_in_batches(self):
        """No statement removes more rows than a batch, so that no lock is held for long."""
        self.sign_in()
        self.application.refresh_token_expiry = 1800 * 86400
        self.env.flush_all()
        authorization = self.env['orestapi.authorization'].search([], limit=1)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO orestapi_authorization_code
                            (authorization_id, digest, redirect_uri, scope, create_date, expires_at)
                SELECT %(authorization)s, 'x', 'x', 'read', %(past)s, %(past)s
                  FROM generate_series(1, %(count)s);
                INSERT INTO orestapi_token
                            (authorization_id, grant_type, scope, create_date, access_expires_at, refreshed_at,
                             revoked_at)
                SELECT %(authorization)s, grant_type, 'read', %(past)s, %(past)s, refreshed_at, revoked_at
                  FROM generate_series(1, %(count)s),
                       (VALUES ('authorization_code', %(now)s, %(past)s),
                               ('client_credentials', NULL, NULL),
                               ('authorization_code', %(past)s, NULL)) AS kind (grant_type, refreshed_at, revoked_at);
                INSERT INTO orestapi_event (kind, create_date)
                SELECT 'consent_given', %(past)s
                  FROM generate_series(1, %(count)s);
                INSERT INTO orestapi_authentication_failure (application, network, cross_site, create_date)
                SELECT 0, 'x', FALSE, %(past)s
                  FROM generate_series(1, %(count)s)
                """,
                authorization=authorization.id,
                now=fields.Datetime.now(),
                past=fields.Datetime.now() - timedelta(days=1801),
                count=VACUUM_BATCH + 1,
            )
        )
        for model, method, name in (
            ('orestapi.authorization.code', '_gc_expired', 'authorization_code'),
            ('orestapi.token', '_gc_ended', 'token'),
            ('orestapi.token', '_gc_services', 'token'),
            ('orestapi.token', '_gc_expired', 'token'),
            ('orestapi.event', '_gc_retention', 'event'),
            ('orestapi.authentication.failure', '_gc_uncounted', 'authentication_failure'),
        ):
            with self.subTest(model=model, method=method):
                kept = self.count()
                collect = getattr(self.env[model], method)
                # The number, and whether there may be more: Odoo then calls again.
                self.assertEqual(collect(), (VACUUM_BATCH, True))
                self.assertEqual(collect(), (1, False))
                self.assertEqual(collect(), (0, False))
                self.assertEqual(self.count()[name], kept[name] - VACUUM_BATCH - 1)
        self.assertEqual(self.count()['token'], 1)

    # Events

    def test_events(self):
        """365 days exactly."""
        self.sign_in()
        self.application.authorization_code_retain = 3650
        count = self.count()['event']
        self.assertGreater(count, 1)
        with self.later(days=365):
            self.assertEqual(self.clean_up(), {})
        with self.later(days=365, seconds=1):
            self.assertEqual(self.clean_up(), {'event': count})

    def test_events_setting(self):
        self.sign_in()
        self.application.authorization_code_retain = 3650
        count = self.count()['event']
        self.env['ir.config_parameter'].set_param('orestapi.event_retention', '30')
        with self.later(days=30):
            self.assertEqual(self.clean_up(), {})
        with self.later(days=30, seconds=1):
            self.assertEqual(self.clean_up(), {'event': count})
