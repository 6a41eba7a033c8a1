"""What holds for all modules of `jose/`."""

import ast
import pathlib
import sys

import pytest

import jose

MODULES = sorted(pathlib.Path(jose.__file__).parent.glob('*.py'))
TREES = {path.stem: ast.parse(path.read_text(encoding='utf-8')) for path in MODULES}


@pytest.mark.parametrize('module', TREES)
def test_imports_neither_odoo_nor_oauth(module):
    """Nothing but the standard library, `cryptography` (which Odoo brings) and the package itself."""
    imports = [node for node in ast.walk(TREES[module]) if isinstance(node, (ast.Import, ast.ImportFrom))]
    relative = [node for node in imports if getattr(node, 'level', 0)]
    assert all(node.level == 1 for node in relative)
    absolute = {
        name.partition('.')[0]
        for node in imports
        if node not in relative
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module])
    }
    assert absolute <= sys.stdlib_module_names | {'cryptography'}
