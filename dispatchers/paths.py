"""Which dispatcher renders errors for paths that match no route, and which paths are pages."""

from ..oauth2 import legacy, metadata
from ..openid import discovery
from .application import OAuth2Dispatcher
from .legacy import LegacyDispatcher
from .records import RecordDispatcher
from .userinfo import UserInfoDispatcher

#: The page where users see and end the connections that they have allowed.
CONNECTED_APPLICATIONS = '/oauth2/applications'

#: Where users prove who they are once more, for an application that asks for it (`prompt=login`).
LOGIN = '/oauth2/login'

#: The paths that a person sees in a browser.
PAGES = (
    metadata.AUTHORIZATION_ENDPOINT,
    legacy.AUTHORIZATION_ENDPOINT,
    CONNECTED_APPLICATIONS,
    LOGIN,
    discovery.LOGOUT_ENDPOINT,
)

DISPATCHERS = {
    discovery.USERINFO_ENDPOINT: UserInfoDispatcher,
    '/oauth2/': OAuth2Dispatcher,
    metadata.WELL_KNOWN: OAuth2Dispatcher,
    discovery.WELL_KNOWN: OAuth2Dispatcher,
    '/orestapi/1/': RecordDispatcher,
    '/orestapi/': LegacyDispatcher,
}


def find_dispatcher(path):
    """Return the class of the dispatcher for a path, or None if it does not belong to this addon."""
    return next((DISPATCHERS[prefix] for prefix in DISPATCHERS if path.startswith(prefix)), None)
