"""The state of the current request that Odoo does not keep, declared in one object."""

import dataclasses
from collections.abc import Callable

from ..oauth2.client import Client
from ..oauth2.parameters import Parameters
from ..oauth2.sign_in import ActiveToken


@dataclasses.dataclass
class Context:
    """The state of one request, filled in step by step.

    :ivar client: the requesting application, once it is known
    :ivar archived_application_id: the row of the requesting application if it is archived, for the event
    :ivar parameters: the parameters of the request, once they were read
    :ivar active_token: the access token that the request is made with
    :ivar offer: what the application may read, see `records.offer`
    :ivar sid: the session of the browser by the name that applications know, as the request began
    :ivar is_failed: whether what the request has stored will be lost
    :ivar get_error_response: a function that turns an unexpected exception into a redirect to
        the application, once the authorization endpoint knows its redirect URI
    """

    client: Client | None = None
    archived_application_id: int | None = None
    parameters: Parameters | None = None
    active_token: ActiveToken | None = None
    offer: object = None
    sid: str | None = None
    is_failed: bool = False
    get_error_response: Callable | None = None


def get_context(request):
    """Return the `Context` of a request, an empty one at first.

    :param request: Odoo's request, or None outside of one
    """
    context = getattr(request, 'orestapi_context', None)
    if context is None:
        context = Context()
        if request:
            request.orestapi_context = context
    return context
