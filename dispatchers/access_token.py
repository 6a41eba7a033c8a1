"""Whether a request came with an access token, whichever protocol it came by."""

import threading
import weakref

from odoo.exceptions import AccessError

#: Under this name, a cursor has the access token that its request came with.
#: At the cursor, because it is all that the three protocols have in common: XML-RPC and
#: JSON-RPC hide the request from the models, and a context is what the caller says it is.
ACTIVE_TOKEN = 'orestapi_active_token'

#: The cursor of the request that the thread last served for an access token.
_served = threading.local()


def serve(cr, active_token):
    """Remember that a request comes with an access token, for as long as it is served.

    :param cr: the cursor of the request
    :param ActiveToken active_token: the token
    """
    setattr(cr, ACTIVE_TOKEN, active_token)
    _served.cursor = weakref.ref(cr)


def get_active_token(cr):
    """Return the `ActiveToken` that a request came with, or None.

    :param cr: the cursor of the request, or one that was opened while it was served
    """
    if active_token := vars(cr).get(ACTIVE_TOKEN):
        return active_token
    reference = getattr(_served, 'cursor', None)
    cursor = reference and reference()
    # Closed with its request, so that nothing is left for the next one of the thread.
    return vars(cursor).get(ACTIVE_TOKEN) if cursor is not None and not cursor._closed else None


def refuse_access_token(env):
    """Refuse what is for a person at a keyboard, or an API key that they made, and not for an access token.

    An access token ends when the user disconnects the application. What could be used
    after that must not be made with it.

    :raise AccessError: when the request came with an access token
    """
    if get_active_token(env.cr):
        raise AccessError(
            env._("Not with an access token: sign in to Odoo to change how somebody logs in, or an application.")
        )
