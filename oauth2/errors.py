"""The errors of OAuth 2.0, one class for each code of the RFCs.

An error is raised by the step that finds it and travels up to the controller,
which returns it as the response. Descriptions are for developers of remote
applications: plain English in the characters that RFC 6749 §5.2 allows, and
never a value that came with the request.

The server keeps more for its own administrator: the reason, the value that came and the
value that was expected. None of that is sent.
"""

#: The reason of an error that has already left an event of its own.
LOGGED = 'logged'


class OAuth2Error(Exception):
    """Base of all errors a remote application can receive.

    :param str description: one sentence for the developer of the application
    :param str reason: a key of the sentences in `models/orestapi_event_sentences.py`
    :param sent: the value that came, for the administrator and never for the response;
        it is shortened before it is stored, see `oauth2.quotation`
    :param expected: the value that would have been right, likewise
    :param user_id: the id of the user whom the request concerned, if known
    """

    #: The code of the RFC, sent as `error`.
    error = None
    #: HTTP status of an error that is not reported by redirect.
    status = 400

    def __init__(self, description, *, reason=None, sent=None, expected=None, user_id=None):
        super().__init__(description)
        self.description = description
        self.reason = reason
        self.sent = sent
        self.expected = expected
        self.user_id = user_id

    def to_parameters(self):
        """Return the parameters of the error response (RFC 6749 §4.1.2.1, §5.2)."""
        return {'error': self.error, 'error_description': self.description}


class InvalidRequest(OAuth2Error):
    """RFC 6749 §4.1.2.1, §5.2; RFC 6750 §3.1."""

    error = 'invalid_request'


class RequestTooLarge(InvalidRequest):
    """A body that no honest client sends; RFC 9110 §15.5.14."""

    status = 413


class UnknownPath(InvalidRequest):
    """Nothing is served at the path; RFC 9110 §15.5.5."""

    status = 404


class UnsupportedMethod(InvalidRequest):
    """The path is served, but not for this method; RFC 9110 §15.5.6."""

    status = 405


class InvalidClient(OAuth2Error):
    """RFC 6749 §5.2: client authentication failed."""

    error = 'invalid_client'
    status = 401

    def __init__(self, description="Client authentication failed.", **facts):
        super().__init__(description, **facts)


class TooManyRequests(InvalidClient):
    """Too many failed client authentications (RFC 6749 §2.3.1 requires protection).

    No RFC registers a code for this, so clients see the `invalid_client` that they
    caused, with the status of RFC 6585 §4.

    :param int retry_after: seconds until the next attempt makes sense
    """

    status = 429

    def __init__(self, retry_after):
        super().__init__("Too many failed client authentications. Try again later.", reason=LOGGED)
        self.retry_after = retry_after


class InvalidGrant(OAuth2Error):
    """RFC 6749 §5.2."""

    error = 'invalid_grant'


class UnauthorizedClient(OAuth2Error):
    """RFC 6749 §4.1.2.1, §5.2."""

    error = 'unauthorized_client'


class UnsupportedGrantType(OAuth2Error):
    """RFC 6749 §5.2."""

    error = 'unsupported_grant_type'


class UnsupportedResponseType(OAuth2Error):
    """RFC 6749 §4.1.2.1."""

    error = 'unsupported_response_type'


class InvalidScope(OAuth2Error):
    """RFC 6749 §4.1.2.1, §5.2."""

    error = 'invalid_scope'


class AuthorizationDenied(OAuth2Error):
    """RFC 6749 §4.1.2.1: the user, or the server on their behalf, refused."""

    error = 'access_denied'
    status = 403


class ServerError(OAuth2Error):
    """RFC 6749 §4.1.2.1."""

    error = 'server_error'
    status = 500

    def __init__(self, description="The server met an unexpected condition."):
        super().__init__(description)


class TemporarilyUnavailable(OAuth2Error):
    """RFC 6749 §4.1.2.1; RFC 7009 §2.2.1."""

    error = 'temporarily_unavailable'
    status = 503

    #: Seconds after which a client may try again.
    retry_after = 5

    def __init__(self, description="The server cannot process the request now. Try again later."):
        super().__init__(description)


class Unauthorized(OAuth2Error):
    """RFC 6750 §3.1: a request without credentials, answered without an error code."""

    status = 401


class InvalidToken(OAuth2Error):
    """RFC 6750 §3.1: the access token is unknown, expired, revoked or malformed."""

    error = 'invalid_token'
    status = 401


class InsufficientScope(OAuth2Error):
    """RFC 6750 §3.1.

    :param str scope: the scope that the request needs
    """

    error = 'insufficient_scope'
    status = 403

    def __init__(self, description, scope):
        super().__init__(description)
        self.scope = scope
