from . import test_authorization_code
from . import test_client_authentication
from . import test_flow
from . import test_tours
