"""Whether a request came with an access token, whichever protocol it came by."""

import threading
import weakref

from odoo.exceptions import AccessError

#: Under this name, a cursor has the sign-in of the access token that its request came with.
#: At the cursor, because it is all that the three protocols have in common: XML-RPC and
#: JSON-RPC hide the request from the models, and a context is what the caller says it is.
SIGN_IN = 'orestapi_sign_in'

#: The cursor of the request that the thread last served for an access token.
_served = threading.local()


def serve(cr, sign_in):
    """Remember that a request comes with an access token, for as long as it is served.

    :param cr: the cursor of the request
    :param dict sign_in: see `orestapi.token._authenticate_bearer`
    """
    setattr(cr, SIGN_IN, sign_in)
    _served.cursor = weakref.ref(cr)


def get_sign_in(cr):
    """Return the sign-in of the access token that a request came with, or None.

    :param cr: the cursor of the request, or one that was opened while it was served
    """
    if sign_in := vars(cr).get(SIGN_IN):
        return sign_in
    reference = getattr(_served, 'cursor', None)
    cursor = reference and reference()
    # Closed with its request, so that nothing is left for the next one of the thread.
    return vars(cursor).get(SIGN_IN) if cursor is not None and not cursor._closed else None


def refuse_access_token(env):
    """Refuse what is for a person at a keyboard, or an API key that they made, and not for an access token.

    An access token ends when the user disconnects the application. What could be used
    after that must not be made with it.

    :raise AccessError: when the request came with an access token
    """
    if get_sign_in(env.cr):
        raise AccessError(
            env._("Not with an access token: sign in to Odoo to change how somebody logs in, or an application.")
        )
