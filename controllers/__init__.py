from . import authorize
from . import dispatcher
from . import introspect
from . import metadata
from . import revoke
from . import token
