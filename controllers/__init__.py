from . import authorize
from . import dispatcher
from . import home
from . import introspect
from . import metadata
from . import revoke
from . import token
