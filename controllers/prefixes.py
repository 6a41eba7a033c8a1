"""Who answers below which addresses where no route decides."""

from ..oauth2 import metadata
from .dispatcher import OAuth2Dispatcher
from .legacy_dispatcher import LegacyDispatcher
from .record_dispatcher import RecordDispatcher

DISPATCHERS = {
    '/oauth2/': OAuth2Dispatcher,
    metadata.WELL_KNOWN: OAuth2Dispatcher,
    '/orestapi/1/': RecordDispatcher,
    '/orestapi/': LegacyDispatcher,
}


def find_dispatcher(path):
    """Return the class of the dispatcher for a path, or None where it is not ours."""
    return next((DISPATCHERS[prefix] for prefix in DISPATCHERS if path.startswith(prefix)), None)
