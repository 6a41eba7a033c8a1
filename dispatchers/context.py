"""What is known of the request that runs, beyond what Odoo keeps: one declared object."""

import dataclasses
from collections.abc import Callable

from ..oauth2.client import Client
from ..oauth2.parameters import Parameters
from ..oauth2.sign_in import ActiveToken


@dataclasses.dataclass
class Context:
    """The state of one request, filled in on its way.

    :ivar client: the application that asks, once it is known
    :ivar archived_application_id: the row of the archived application that asks in vain, for the event
    :ivar parameters: what it sent, once it was read
    :ivar active_token: the access token that the request is made with
    :ivar offer: what the application may read, see `records.offer`
    :ivar get_error_response: how to report an unexpected exception to the application by
        redirect, once the authorization endpoint knows where
    """

    client: Client | None = None
    archived_application_id: int | None = None
    parameters: Parameters | None = None
    active_token: ActiveToken | None = None
    offer: object = None
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
