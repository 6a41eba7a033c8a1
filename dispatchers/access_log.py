"""No secret in the log of requests.

Odoo writes each request line with its query string, and there the older
connector sends its client secret, its codes and its refresh tokens; others do
so by mistake. Nothing is written of the query strings of our own paths.
"""

import logging
import re

#: The beginning of one of our paths, as it came or with what werkzeug decodes of it.
PATH = re.compile(r'/(?:oauth2|orestapi|\.well-known)(?:/|%2f)', re.IGNORECASE)


def hide_query_string(message):
    """Return a line of the log without the query string of one of our paths.

    Looks at each character a fixed number of times: anybody can send a long address.
    """
    start = 0
    # An address stands on one line, which a traceback has many of.
    for line in message.split('\n'):
        path = PATH.search(line)
        mark = line.find('?', path.end()) if path else -1
        if mark >= 0:
            mark += start
            # What is in the query string may look like the end of the line.
            end = message.rfind(' HTTP/', mark)
            return f'{message[: mark + 1]}…{message[end:] if end >= 0 else ""}'
        start += len(line) + 1
    return message


class QueryStringFilter(logging.Filter):
    """Takes the query string out of the log record of a request to one of our paths."""

    def filter(self, record):
        message = record.getMessage()
        if '?' in message:
            record.msg, record.args = hide_query_string(message), ()
        return True


def install():
    """Add the filter to the loggers of Odoo's servers, once for the process (the manifest's `post_load`)."""
    for name in ('werkzeug', 'longpolling'):
        logging.getLogger(name).addFilter(QueryStringFilter())
