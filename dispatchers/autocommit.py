"""Requests that only read, without a transaction.

Beginning and committing a transaction takes two round trips, as much time as the one
query that introspection needs. A route with `autocommit=True` saves them. Without a
transaction there are no savepoints, so code that writes must call `leave` first.
"""

from psycopg2.extensions import STATUS_READY


def enter(cr):
    """Let each statement of a request be a transaction of its own.

    Does nothing on a connection that has begun a transaction, because a test shares its
    cursor with the server. The next cursor that gets the connection resets it.

    :param cr: the cursor of the request
    """
    connection = cr.connection
    if connection.status == STATUS_READY:
        connection.autocommit = True


def leave(cr):
    """Begin a transaction with the next statement, as Odoo does by default.

    :param cr: the cursor of the request
    """
    connection = cr.connection
    if connection.autocommit and connection.status == STATUS_READY:
        connection.autocommit = False
