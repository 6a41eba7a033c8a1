import pathlib
import tempfile
import warnings

import hypothesis
from hypothesis.configuration import set_hypothesis_home_dir

# passlib imports a module that Python 3.13 removes. Any other warning is an error.
with warnings.catch_warnings():
    warnings.filterwarnings('ignore', "'crypt' is deprecated", DeprecationWarning)
    import passlib.utils  # noqa: F401

# The checkout is an addons path: nothing may be written into it.
set_hypothesis_home_dir(pathlib.Path(tempfile.gettempdir(), 'orestapi-hypothesis'))

# A failed test must fail again, on every machine. To look for more:
# --hypothesis-profile=explore
hypothesis.settings.register_profile('repeatable', derandomize=True, database=None, deadline=None, max_examples=300)
hypothesis.settings.register_profile('explore', derandomize=False, database=None, deadline=None, max_examples=10_000)
# For the many runs of `make mutation`.
hypothesis.settings.register_profile('few', derandomize=True, database=None, deadline=None, max_examples=30)
hypothesis.settings.load_profile('repeatable')
