"""No secret in the log, at any level.

Odoo logs each request line with its query string. There the older connector sends its
client secret, its codes and its refresh tokens, and other clients do so by mistake. The
query strings of this addon's paths are therefore never logged. At level debug, Odoo also
logs the arguments of each RPC call and each SQL statement with its values, and it logs
failed statements at any level.

Each filter sees every record of its logger, for any request, so none may raise: Odoo
would not answer the request. A record that cannot be read is replaced, not written as
it is.
"""

import logging
import re

#: The beginning of a path of this addon, decoded by werkzeug or not.
PATH = re.compile(r'/(?:oauth2|orestapi|\.well-known)(?:/|%2f)', re.IGNORECASE)

#: A code, a token or a generated client secret, wherever somebody sent it by mistake: as
#: a login, or to a path of Odoo's.
SECRET = re.compile(r'(orestapi(?:_|%5f)(?:ac|at|rt|cs)(?:_|%5f))[\w%.~-]+', re.ASCII | re.IGNORECASE)

#: Marks the arguments of a call that may contain a secret: the name of a field that holds
#: one, the name of a model of this addon, or one of its tokens.
SENSITIVE = re.compile(r'client_secret|own_secret|orestapi[._]')

UNREADABLE = "A line of the log could not be read and was left out."


def hide_query_string(message):
    """Return a line of the log without the query string of this addon's paths.

    Takes linear time, because anybody can send a long URL.
    """
    start = 0
    # Line by line, because a traceback has many, and a URL is on one of them.
    for line in message.split('\n'):
        path = PATH.search(line)
        mark = line.find('?', path.end()) if path else -1
        if mark >= 0:
            mark += start
            # From the right, because the query string may contain ` HTTP/` itself.
            end = message.rfind(' HTTP/', mark)
            return f'{message[: mark + 1]}…{message[end:] if end >= 0 else ""}'
        start += len(line) + 1
    return message


def hide_tokens(message):
    """Return a text that shows only the kind of each code, token and generated client secret."""
    return SECRET.sub(r'\1…', message)


class SecretFilter(logging.Filter):
    """Removes secrets from the records of one logger, and lets each record through."""

    def filter(self, record):
        try:
            self.hide(record)
        except Exception:  # noqa: BLE001 - a line of the log must not end a request
            self.replace(record, UNREADABLE)
            record.exc_info = record.exc_text = None
        return True

    def hide(self, record):
        """Remove the secrets from a record."""
        raise NotImplementedError

    def replace(self, record, message):
        record.msg, record.args = message, ()


class RequestFilter(SecretFilter):
    """Hides the query string of this addon's paths in a request line, and tokens anywhere."""

    def hide(self, record):
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # werkzeug puts the client's IP address into the format, and an IPv6 zone begins
            # with `%` (RFC 4007 §11).
            message = re.sub('%(?!s)', '%%', record.msg) % record.args
            self.replace(record, message)
        if '?' in message or 'orestapi' in message:
            self.replace(record, hide_tokens(hide_query_string(message)))


class LoginFilter(SecretFilter):
    """Hides a token that was sent as the login in a failed login."""

    def hide(self, record):
        message = record.getMessage()
        if 'orestapi' in message:
            self.replace(record, hide_tokens(message))


class CallFilter(SecretFilter):
    """Hides all arguments of an RPC call if one of them may be a secret."""

    def hide(self, record):
        message = record.getMessage()
        if SENSITIVE.search(message):
            records, name, _arguments = record.args
            self.replace(record, f'call {records}.{name}(…)')


class StatementFilter(SecretFilter):
    """Hides all values of a statement that may hold a plain-text secret: the own secret, or a key of this addon."""

    def hide(self, record):
        # A failed statement comes as bytes, whose `repr` would add quotes.
        args = tuple(arg.decode(errors='replace') if isinstance(arg, bytes) else arg for arg in record.args or ())
        message = record.msg % args if args else str(record.msg)
        if 'own_secret' in message or "'orestapi." in message:
            # The message of PostgreSQL goes too, because it shows the whole row.
            self.replace(record, message.partition("'")[0] + '…')
        elif 'orestapi_' in message:
            self.replace(record, hide_tokens(message))


class FailureFilter(SecretFilter):
    """Hides the row that PostgreSQL shows in a traceback when it refuses one."""

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
