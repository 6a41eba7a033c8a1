"""RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1."""

import pytest

from oauth2 import errors


@pytest.mark.parametrize(
    ('error', 'code', 'status'),
    [
        (errors.InvalidRequest("Text."), 'invalid_request', 400),
        (errors.RequestTooLarge("Text."), 'invalid_request', 413),
        (errors.UnknownPath("Text."), 'invalid_request', 404),
        (errors.UnsupportedMethod("Text."), 'invalid_request', 405),
        (errors.InvalidClient("Text."), 'invalid_client', 401),
        (errors.TooManyRequests(30), 'invalid_client', 429),
        (errors.InvalidGrant("Text."), 'invalid_grant', 400),
        (errors.UnauthorizedClient("Text."), 'unauthorized_client', 400),
        (errors.UnsupportedGrantType("Text."), 'unsupported_grant_type', 400),
        (errors.UnsupportedResponseType("Text."), 'unsupported_response_type', 400),
        (errors.InvalidScope("Text."), 'invalid_scope', 400),
        (errors.AuthorizationDenied("Text."), 'access_denied', 403),
        (errors.ServerError("Text."), 'server_error', 500),
        (errors.TemporarilyUnavailable("Text."), 'temporarily_unavailable', 503),
        # RFC 6750 §3.1: a request without credentials gets no error code.
        (errors.Unauthorized("Text."), None, 401),
        (errors.InvalidToken("Text."), 'invalid_token', 401),
        (errors.InsufficientScope("Text.", 'read'), 'insufficient_scope', 403),
    ],
)
def test_code_and_status(error, code, status):
    """RFC 6749 §4.1.2.1, §5.2; RFC 6750 §3.1: the registered code and its HTTP status."""
    assert (error.error, error.status) == (code, status)
    assert error.to_parameters() == {'error': code, 'error_description': error.description}
    assert str(error) == error.description


def test_every_error_is_listed_above():
    (mark,) = test_code_and_status.pytestmark
    listed = {type(error) for error, _code, _status in mark.args[1]}
    defined = {value for value in vars(errors).values() if isinstance(value, type)}
    assert defined - listed == {errors.OAuth2Error}


def test_what_the_controller_sends_in_headers():
    """N103, N213: `Retry-After` and the `scope` of RFC 6750 §3."""
    assert errors.TooManyRequests(30).retry_after == 30
    assert errors.TemporarilyUnavailable("Text.").retry_after > 0
    assert errors.InsufficientScope("Text.", 'read rpc').scope == 'read rpc'
