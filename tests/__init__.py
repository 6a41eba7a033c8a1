from . import test_authorization_code
from . import test_authorize
from . import test_client_authentication
from . import test_client_credentials
from . import test_consent
from . import test_flow
from . import test_refresh_token
from . import test_tours
