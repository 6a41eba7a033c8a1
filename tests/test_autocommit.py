from unittest.mock import patch

import psycopg2.errors

from odoo import api, sql_db
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..dispatchers import autocommit
from ..oauth2 import client_authentication
from ..oauth2.errors import InvalidClient
from .common import OAuth2Case


@tagged('post_install', '-at_install')
class TestAutocommit(OAuth2Case):
    """A real connection: the cursor that tests share with the server has always begun a transaction."""

    def setUp(self):
        super().setUp()
        self.cr = sql_db.db_connect(self.env.cr.dbname).cursor()
        self.addCleanup(self.cr.close)

    def test_statements_are_transactions_of_their_own(self):
        autocommit.enter(self.cr)
        self.cr.execute("SELECT txid_current()")
        first = self.cr.fetchone()
        self.cr.execute("SELECT txid_current()")
        self.assertNotEqual(self.cr.fetchone(), first)
        with self.assertRaises(psycopg2.errors.NoActiveSqlTransaction), mute_logger('odoo.sql_db'):
            self.cr.execute("SAVEPOINT a")

    def test_leave_begins_a_transaction(self):
        autocommit.enter(self.cr)
        self.cr.execute("SELECT txid_current()")
        autocommit.leave(self.cr)
        self.cr.execute("SAVEPOINT a")
        self.cr.execute("SELECT txid_current()")
        first = self.cr.fetchone()
        self.cr.execute("SELECT txid_current()")
        self.assertEqual(self.cr.fetchone(), first)

    def test_transaction_that_has_begun_is_left_alone(self):
        self.cr.execute("SELECT txid_current()")
        first = self.cr.fetchone()
        autocommit.enter(self.cr)
        self.cr.execute("SELECT txid_current()")
        self.assertEqual(self.cr.fetchone(), first)

    def test_next_cursor_of_the_connection_has_transactions(self):
        autocommit.enter(self.cr)
        self.cr.execute("SELECT 1")
        connection = self.cr.connection
        self.cr.close()
        self.cr = sql_db.db_connect(self.env.cr.dbname).cursor()
        self.addCleanup(self.cr.close)
        self.assertIs(self.cr.connection, connection, "The pool gave out another connection: nothing was shown.")
        self.cr.execute("SAVEPOINT a")

    def test_addon_that_puts_a_savepoint_around_an_event(self):
        """PostgreSQL has no savepoints outside a transaction, but a failed authentication must log an event."""
        model = type(self.env['orestapi.event'])
        create = model.create

        @api.model_create_multi
        def create_in_savepoint(events, vals_list):
            with events.env.cr.savepoint():
                return create(events, vals_list)

        env = api.Environment(self.cr, api.SUPERUSER_ID, {})
        autocommit.enter(self.cr)
        credentials = client_authentication.Credentials('nobody', 'x', client_authentication.BASIC)
        with patch.object(model, 'create', create_in_savepoint), self.assertRaises(InvalidClient):
            env['orestapi.application']._authenticate_client(credentials, '192.0.2.77')
        self.cr.execute("SELECT count(*) FROM orestapi_event WHERE address = '192.0.2.77'")
        self.assertEqual(self.cr.fetchone(), (1,))
        self.cr.rollback()
