import pathlib
import tempfile

import hypothesis
from hypothesis.configuration import set_hypothesis_home_dir

# The checkout is an addons path: nothing may be written into it.
set_hypothesis_home_dir(pathlib.Path(tempfile.gettempdir(), 'orestapi-hypothesis'))

# A failed test must fail again, on every machine.
hypothesis.settings.register_profile('repeatable', derandomize=True, database=None, deadline=None, max_examples=300)
# For the many runs of `make mutation`.
hypothesis.settings.register_profile('few', derandomize=True, database=None, deadline=None, max_examples=30)
hypothesis.settings.load_profile('repeatable')
