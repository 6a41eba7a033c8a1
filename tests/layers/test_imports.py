"""Which folder may import which, read from the sources without running imports."""

import ast
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]

#: Each folder with those that it may import besides itself.
MAY_IMPORT = {
    'jose': set(),
    'oauth2': {'jose'},
    'openid': {'oauth2', 'jose'},
    'records': {'oauth2', 'jose'},
    'mcp': {'records', 'oauth2', 'jose'},
    'dispatchers': {'mcp', 'records', 'openid', 'oauth2', 'jose'},
    'models': {'dispatchers', 'mcp', 'records', 'openid', 'oauth2', 'jose'},
    'wizards': {'models', 'dispatchers', 'mcp', 'records', 'openid', 'oauth2', 'jose'},
    'controllers': {'dispatchers', 'mcp', 'records', 'openid', 'oauth2', 'jose'},
}
#: The folders that do not import Odoo, and the packages from Odoo's dependencies that they may use.
PLAIN = ('jose', 'oauth2', 'openid', 'records', 'mcp')
BROUGHT_BY_ODOO = {'passlib', 'cryptography'}


def _get_modules():
    for folder in MAY_IMPORT:
        for path in sorted((ROOT / folder).rglob('*.py')):
            yield path.relative_to(ROOT)


MODULES = list(_get_modules())


def _get_imports(module):
    """Return what a module imports: paths without suffix below the root, and names of other packages."""
    own, others = set(), set()
    tree = ast.parse((ROOT / module).read_text(encoding='utf-8'))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            others.update(alias.name.partition('.')[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            others.add(node.module.partition('.')[0])
        elif isinstance(node, ast.ImportFrom):
            base = module.parent
            for _up in range(node.level - 1):
                base = base.parent
            target = base.joinpath(*(node.module or '').split('.')) if node.module else base
            for alias in node.names:
                inner = target / alias.name
                is_module = (ROOT / inner).is_dir() or (ROOT / inner).with_suffix('.py').is_file()
                own.add(inner if is_module else target)
    return own, others


@pytest.mark.parametrize('module', MODULES, ids=str)
def test_arrows_point_down(module):
    own, _others = _get_imports(module)
    folder = module.parts[0]
    imported = {path.parts[0] for path in own if path.parts}
    assert imported <= MAY_IMPORT[folder] | {folder}


@pytest.mark.parametrize('module', [module for module in MODULES if module.parts[0] in PLAIN], ids=str)
def test_plain_packages_need_no_odoo(module):
    _own, others = _get_imports(module)
    assert others <= sys.stdlib_module_names | BROUGHT_BY_ODOO


def test_no_import_circle():
    graph = {}
    for module in MODULES:
        name = module.parent if module.name == '__init__.py' else module.with_suffix('')
        own, _others = _get_imports(module)
        # A package's own `__init__` lists its modules, which is not a dependency between them.
        graph[name] = set() if module.name == '__init__.py' else {path for path in own if path != name.parent}
    done, path = set(), []

    def visit(node):
        if node in done:
            return
        assert node not in path, f"imports in a circle: {' -> '.join(map(str, [*path[path.index(node) :], node]))}"
        path.append(node)
        for target in sorted(graph.get(node, ())):
            visit(target)
        path.pop()
        done.add(node)

    for node in sorted(graph):
        visit(node)


def test_the_walk_finds_imports():
    """Guards the walk itself: these two imports exist as long as the files do."""
    own, others = _get_imports(pathlib.Path('oauth2/pkce.py'))
    assert pathlib.Path('oauth2/errors') in own
    assert 'hashlib' in others
