import pytest

from oauth2 import errors
from records import problem


@pytest.mark.parametrize(
    ('error', 'status', 'title', 'code'),
    [
        (problem.InvalidParameter("No."), 400, "Bad Request", 'invalid_request'),
        (problem.NotFound("No."), 404, "Not Found", 'not_found'),
        (problem.MethodNotAllowed("No."), 405, "Method Not Allowed", 'method_not_allowed'),
        # Errors that the records API shares with the other endpoints.
        (errors.InvalidToken("No."), 401, "Unauthorized", 'invalid_token'),
        (errors.InsufficientScope("No.", 'read'), 403, "Forbidden", 'insufficient_scope'),
        (errors.TemporarilyUnavailable("No."), 503, "Service Unavailable", 'temporarily_unavailable'),
        (errors.ServerError("No."), 500, "Internal Server Error", 'server_error'),
    ],
)
def test_render(error, status, title, code):
    """RFC 9457 §3.1, and §4.2.1: of `about:blank`, the title is the phrase of the status."""
    assert problem.render(error) == {
        'type': 'about:blank',
        'title': title,
        'status': status,
        'detail': "No.",
        'error': code,
    }


def test_media_type():
    """RFC 9457 §3."""
    assert problem.MEDIA_TYPE == 'application/problem+json'


def test_a_problem_is_an_exception_with_its_sentence():
    with pytest.raises(problem.Problem, match=r"\AThe search takes too long\.\Z") as caught:
        raise problem.InvalidParameter("The search takes too long.")
    assert caught.value.description == "The search takes too long."
