"""How the daily clean-up deletes: in batches, so that locks are short, and with a pause before each."""

import time

from odoo.tools import SQL

#: Rows that one statement deletes at most.
VACUUM_BATCH = 10_000
#: Seconds to pause before each statement, so that requests get the processor: without the
#: pause, a refresh takes twice as long meanwhile (docs/reports/benchmarks.md).
VACUUM_REST = 0.05


def delete_batch(cr, statement):
    """Delete the next batch of rows.

    :param cr: the cursor
    :param SQL statement: deletes at most `VACUUM_BATCH` rows, which it finds in an `ARRAY` subquery: PostgreSQL may run
        a subquery after `IN` more than once, each time with other rows, and so delete more than its `LIMIT`
    :return: how many were deleted, and whether there may be more, as Odoo expects it of an `autovacuum` method
    """
    time.sleep(VACUUM_REST)
    cr.execute(SQL("%s", statement))
    return cr.rowcount, cr.rowcount == VACUUM_BATCH
