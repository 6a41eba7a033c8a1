"""Whether a request was made with an access token, over any protocol."""

import threading
import weakref

from odoo.exceptions import AccessError

#: The attribute of a cursor that holds the access token of its request. The cursor is all
#: that the three protocols have in common: XML-RPC and JSON-RPC hide the request from the
#: models, and a caller can forge a context.
ACTIVE_TOKEN = 'orestapi_active_token'

#: The cursor of the last request that the thread served for an access token.
_served = threading.local()


def serve(cr, active_token):
    """Mark a request as made with an access token, for as long as it is served.

    :param cr: the cursor of the request
    :param ActiveToken active_token: the token
    """
    setattr(cr, ACTIVE_TOKEN, active_token)
    _served.cursor = weakref.ref(cr)


def get_active_token(cr):
    """Return the `ActiveToken` that a request came with, or None.

    :param cr: the cursor of the request, or one opened while it is served
    """
    if active_token := vars(cr).get(ACTIVE_TOKEN):
        return active_token
    reference = getattr(_served, 'cursor', None)
    cursor = reference and reference()
    # The cursor is closed with its request, so the thread's next request does not inherit the token.
    return vars(cursor).get(ACTIVE_TOKEN) if cursor is not None and not cursor._closed else None


def refuse_access_token(env):
    """Refuse an action that only a person or their API key may do, not an access token.

    An access token ends when the user disconnects the application. It must not create
    anything that can be used after that.

    :raise AccessError: when the request came with an access token
    """
    if get_active_token(env.cr):
        raise AccessError(
            env._("Not with an access token: sign in to Odoo to change how somebody logs in, or an application.")
        )
