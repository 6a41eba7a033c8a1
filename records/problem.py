"""Errors of the records API as problem details (RFC 9457)."""

from http import HTTPStatus

MEDIA_TYPE = 'application/problem+json'


class Problem(Exception):
    """Base of the errors of the records API that RFC 6750 does not define.

    It can be used like an `OAuth2Error`.

    :param str description: one sentence for the developer of the application;
        never a value that came with the request
    """

    error = None
    status = 400

    def __init__(self, description):
        super().__init__(description)
        self.description = description


class InvalidParameter(Problem):
    """RFC 6750 §3.1: a parameter is missing, malformed or too large."""

    error = 'invalid_request'


class NotOffered(Problem):
    """The application is not offered the model or field, or the user may not read it.

    This is not the `insufficient_scope` of RFC 6750 §3.1, which makes a client request
    another token: no token would help.
    """

    error = 'not_offered'
    status = 403


class NotFound(Problem):
    """Nothing is there, or the user may not see it: the two are indistinguishable on purpose."""

    error = 'not_found'
    status = 404


class MethodNotAllowed(Problem):
    """RFC 9110 §15.5.6."""

    error = 'method_not_allowed'
    status = 405


def render(error):
    """Return the problem details of an error.

    :param error: a `Problem` or an `OAuth2Error`
    """
    return {
        'type': 'about:blank',
        # RFC 9457 §4.2.1: of the type `about:blank`, the phrase of the status.
        'title': HTTPStatus(error.status).phrase,
        'status': error.status,
        'detail': error.description,
        'error': error.error,
    }
