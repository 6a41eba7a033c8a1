"""No secret in the log, at any level.

Odoo writes each request line with its query string, and there the older
connector sends its client secret, its codes and its refresh tokens; others do
so by mistake. Nothing is written of the query strings of our own paths. At the
level debug, Odoo writes the arguments of each call over RPC and each statement
with its values, and a statement that fails it writes at any level.

Each filter is asked for every line of its logger, whatever the request, so that
none may raise: Odoo would not answer the request. A line that cannot be read is
left out instead of being written as it is.
"""

import logging
import re

#: The beginning of one of our paths, as it came or with what werkzeug decodes of it.
PATH = re.compile(r'/(?:oauth2|orestapi|\.well-known)(?:/|%2f)', re.IGNORECASE)

#: A code, a token or a generated client secret, wherever somebody sent it by mistake: as
#: the login, or to an address of Odoo's.
SECRET = re.compile(r'(orestapi(?:_|%5f)(?:ac|at|rt|cs)(?:_|%5f))[\w%.~-]+', re.ASCII | re.IGNORECASE)

#: What the arguments of a call that may carry a secret contain: the name of a field that
#: holds one, of a model of this addon, or one of its tokens.
SENSITIVE = re.compile(r'client_secret|own_secret|orestapi[._]')

UNREADABLE = "A line of the log cannot be read and is left out."


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


def hide_tokens(message):
    """Return a text with nothing but the kind of each code, token and generated client secret."""
    return SECRET.sub(r'\1…', message)


class SecretFilter(logging.Filter):
    """Takes secrets out of the records of one logger, and lets each record through."""

    def filter(self, record):
        try:
            self.hide(record)
        except Exception:  # noqa: BLE001 - a line of the log must not end a request
            self.replace(record, UNREADABLE)
            record.exc_info = record.exc_text = None
        return True

    def hide(self, record):
        """Take the secrets out of a record."""
        raise NotImplementedError

    def replace(self, record, message):
        record.msg, record.args = message, ()


class RequestFilter(SecretFilter):
    """Of the request line: the query string of our paths, and tokens anywhere."""

    def hide(self, record):
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # werkzeug writes the address of the client into the format, and a zone of
            # IPv6 begins with `%` (RFC 4007 §11).
            message = re.sub('%(?!s)', '%%', record.msg) % record.args
            self.replace(record, message)
        if '?' in message or 'orestapi' in message:
            self.replace(record, hide_tokens(hide_query_string(message)))


class LoginFilter(SecretFilter):
    """Of a login that failed: a token that was sent as the login."""

    def hide(self, record):
        message = record.getMessage()
        if 'orestapi' in message:
            self.replace(record, hide_tokens(message))


class CallFilter(SecretFilter):
    """Of a call over RPC: all arguments where one of them may be a secret."""

    def hide(self, record):
        message = record.getMessage()
        if SENSITIVE.search(message):
            records, name, _arguments = record.args
            self.replace(record, f'call {records}.{name}(…)')


class StatementFilter(SecretFilter):
    """Hide all values of a statement that may hold a plain-text secret: the own secret, or a key of this addon."""

    def hide(self, record):
        # What failed comes as bytes, whose notation would have quotes of its own.
        args = tuple(arg.decode(errors='replace') if isinstance(arg, bytes) else arg for arg in record.args or ())
        message = record.msg % args if args else str(record.msg)
        if 'own_secret' in message or "'orestapi." in message:
            # With what PostgreSQL says of the failure, which shows the whole row.
            self.replace(record, message.partition("'")[0] + '…')
        elif 'orestapi_' in message:
            self.replace(record, hide_tokens(message))


class FailureFilter(SecretFilter):
    """Of a traceback: the row that PostgreSQL shows when it refuses one."""

    FORMATTER = logging.Formatter()

    def hide(self, record):
        if not record.exc_info or record.exc_info is True:
            return
        text = self.FORMATTER.formatException(record.exc_info)
        if 'orestapi' in text:
            record.exc_text = hide_tokens(re.sub('(Failing row contains ).*', r'\1(…)', text))


def install():
    """Add the filters to Odoo's loggers, once for the process (the manifest's `post_load`)."""
    for names, record_filter in (
        (('werkzeug', 'longpolling'), RequestFilter()),
        (('odoo.addons.base.models.res_users',), LoginFilter()),
        (('odoo.service.model',), CallFilter()),
        (('odoo.sql_db',), StatementFilter()),
        (('odoo.http', 'odoo.models'), FailureFilter()),
    ):
        for name in names:
            logging.getLogger(name).addFilter(record_filter)
