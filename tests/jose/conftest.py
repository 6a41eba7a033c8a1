import pathlib
import tempfile

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from jose import keys

# The checkout is an addons path: nothing may be written into it.
set_hypothesis_home_dir(pathlib.Path(tempfile.gettempdir(), 'orestapi-hypothesis'))

# A test that failed must fail again, on every machine. To look for more:
# --hypothesis-profile=explore
hypothesis.settings.register_profile('repeatable', derandomize=True, database=None, deadline=None, max_examples=300)
hypothesis.settings.register_profile('explore', derandomize=False, database=None, deadline=None, max_examples=10_000)
# For each of the many runs of `make mutation`.
hypothesis.settings.register_profile('few', derandomize=True, database=None, deadline=None, max_examples=30)
hypothesis.settings.load_profile('repeatable')

PRIVATE_KEYS = {algorithm: keys.generate(algorithm) for algorithm in ('RS256', 'PS256', 'ES256', 'EdDSA')}


@pytest.fixture(params=PRIVATE_KEYS)
def private_key(request):
    """A key of each algorithm. RSA keys are made once, because that takes a while."""
    return PRIVATE_KEYS[request.param]


@pytest.fixture
def private_keys():
    return PRIVATE_KEYS
