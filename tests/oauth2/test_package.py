"""Rules for all modules of `oauth2/`."""

import ast
import pathlib
import re
import sys

import pytest

import oauth2
from oauth2 import errors

MODULES = sorted(pathlib.Path(oauth2.__file__).parent.glob('*.py'))
TREES = {path.stem: ast.parse(path.read_text(encoding='utf-8')) for path in MODULES}

#: The characters of `error_description` in RFC 6749 §5.2 and RFC 6750 §3.
DESCRIPTION = re.compile(r'[\x20\x21\x23-\x5b\x5d-\x7e]+')


def _get_descriptions(tree):
    """Yield the AST node of each description that a raise or `super().__init__` names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            if node.exc.args:
                yield node.exc.args[0]
        elif isinstance(node, ast.FunctionDef) and node.name == '__init__':
            yield from (default for default in node.args.defaults if isinstance(default.value, str))
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == 'super().__init__':
                    yield from (argument for argument in call.args if not isinstance(argument, ast.Name))


DESCRIPTIONS = [
    pytest.param(node, id=f'{module}:{node.lineno}')
    for module, tree in TREES.items()
    for node in _get_descriptions(tree)
]


@pytest.mark.parametrize('module', TREES)
def test_needs_no_odoo(module):
    """Only the standard library, passlib (a dependency of Odoo) and the package itself."""
    imported = {
        name.partition('.')[0]
        for node in ast.walk(TREES[module])
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    assert imported <= sys.stdlib_module_names | {'passlib'}


@pytest.mark.parametrize('module', TREES)
def test_no_import_leaves_the_package(module):
    """`from .. import models` would bring Odoo in."""
    assert all(node.level <= 1 for node in ast.walk(TREES[module]) if isinstance(node, ast.ImportFrom))


def test_all_descriptions_are_found():
    """Guards the walk itself: each `raise` of an error of this package has a description to check."""
    ours = {name for name, value in vars(errors).items() if isinstance(value, type)}
    raised = [
        node
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in ours
    ]
    assert len(raised) >= 30
    assert all(node.exc.args for node in raised)


@pytest.mark.parametrize('node', DESCRIPTIONS)
def test_description_has_the_characters_of_rfc_6749_5_2(node):
    """RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E, so neither quote nor backslash.

    An f-string may only insert the variable `name`, the name of a parameter that
    this package knows: never a value of the request.
    """
    if isinstance(node, ast.JoinedStr):
        inserted = [value for value in node.values if isinstance(value, ast.FormattedValue)]
        assert [ast.unparse(value.value) for value in inserted] == ['name']
        text = ''.join(value.value for value in node.values if isinstance(value, ast.Constant))
    else:
        assert isinstance(node, ast.Constant)
        text = node.value
    assert DESCRIPTION.fullmatch(text)
    assert text.endswith('.')
