"""No secret in the log of requests.

Odoo writes each request line with its query string, and there the older
connector sends its client secret, its codes and its refresh tokens; others do
so by mistake. Nothing is written of the query strings of our own paths.
"""

import logging
import re

#: The line of werkzeug, which holds what was decoded of the address, and that of
#: the evented server, which holds it as it came. What is in the query string may
#: look like the end of the line, so that only the last such end counts.
QUERY_STRING = re.compile(
    r'(/(?:oauth2|orestapi|\.well-known)(?:/|%2f)[^\s?]*\?)(?:.*(?= HTTP/\d)|.*)', re.DOTALL | re.IGNORECASE
)


class QueryStringFilter(logging.Filter):
    """Takes the query string out of the log record of a request to one of our paths."""

    def filter(self, record):
        message = record.getMessage()
        if '?' in message:
            record.msg, record.args = QUERY_STRING.sub(r'\1…', message), ()
        return True


for name in ('werkzeug', 'longpolling'):
    logging.getLogger(name).addFilter(QueryStringFilter())
