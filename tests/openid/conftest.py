import pathlib
import sys
import tempfile
import types

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

# As Odoo names it, without what `__init__.py` would import: Odoo.
package = sys.modules.setdefault('orestapi', types.ModuleType('orestapi'))
package.__path__ = [str(pathlib.Path(__file__).parents[2])]

set_hypothesis_home_dir(pathlib.Path(tempfile.gettempdir(), 'orestapi-hypothesis'))
hypothesis.settings.register_profile('repeatable', derandomize=True, database=None, deadline=None, max_examples=300)
hypothesis.settings.register_profile('explore', derandomize=False, database=None, deadline=None, max_examples=10_000)
hypothesis.settings.register_profile('few', derandomize=True, database=None, deadline=None, max_examples=30)
hypothesis.settings.load_profile('repeatable')

from orestapi.jose import keys  # noqa: E402

PRIVATE_KEY = keys.generate('ES256')


@pytest.fixture
def private_key():
    return PRIVATE_KEY
