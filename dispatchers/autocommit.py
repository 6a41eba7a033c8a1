"""Requests that only read, without a transaction.

To begin and to commit a transaction takes two round trips, as long as the one query
that introspection needs. A route that says `autocommit=True` spares them. Without a
transaction there are no savepoints, so whatever writes calls `leave` first.
"""

from psycopg2.extensions import STATUS_READY


def enter(cr):
    """Let each statement of a request be a transaction of its own.

    Nothing happens on a connection that has begun a transaction: a test shares its
    cursor with the server. The next cursor that gets the connection sets it anew.

    :param cr: the cursor of the request
    """
    connection = cr.connection
    if connection.status == STATUS_READY:
        connection.autocommit = True


def leave(cr):
    """Begin a transaction with the next statement, as Odoo does it.

    :param cr: the cursor of the request
    """
    connection = cr.connection
    if connection.autocommit and connection.status == STATUS_READY:
        connection.autocommit = False
