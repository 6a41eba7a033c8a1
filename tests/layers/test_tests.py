"""How the tests themselves are written. The sources are parsed, so no test has to run."""

import ast
import collections
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FILES = [path.relative_to(ROOT) for path in sorted((ROOT / 'tests').rglob('*.py'))]


def _get_name(node):
    """Return the last part of the name of what is called or decorates: `subTest` of `self.subTest(…)`."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, 'id', '')


def _is_case(node):
    """Return whether a failure below a node names its case and does not hide the other cases.

    This holds for `with self.subTest(…)`, and for a test with `@given`: Hypothesis shows the example that failed.
    """
    if isinstance(node, ast.With):
        return any(_get_name(item.context_expr) == 'subTest' for item in node.items)
    return isinstance(node, ast.FunctionDef) and any(_get_name(each) == 'given' for each in node.decorator_list)


def _walk(node):
    """Yield a node and the nodes below it, but nothing from a node that is a case."""
    if not _is_case(node):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _walk(child)


def _is_assertion(node):
    return isinstance(node, ast.Assert) or (
        isinstance(node, ast.Call) and _get_name(node).startswith(('assert', 'fail'))
    )


def _is_repetition(loop):
    """Return whether a loop repeats the same step: its variable begins with an underscore and is not used."""
    return isinstance(loop.target, ast.Name) and loop.target.id.startswith('_')


def _find_bare_loops(tree):
    return [
        loop.lineno
        for loop in _walk(tree)
        if isinstance(loop, ast.For) and not _is_repetition(loop)
        if any(_is_assertion(node) for statement in loop.body for node in _walk(statement))
    ]


@pytest.mark.parametrize('file', FILES, ids=str)
def test_d04_loops_over_cases_say_which(file):
    """Odoo's tests use `self.subTest`, and the tests of pytest use parameters."""
    assert not _find_bare_loops(ast.parse((ROOT / file).read_text(encoding='utf-8')))


@pytest.mark.parametrize(
    ('expected', 'source'),
    [
        ([1], "for x in y:\n    self.assertTrue(x)"),
        ([1, 2], "for x in y:\n    for z in x:\n        assert z"),
        ([1], "for x in y:\n    with self.assertRaises(E):\n        x()"),
        ([1], "for x in y:\n    with self.subTest(x=x):\n        f(x)\n    self.fail(x)"),
        ([], "for x in y:\n    with self.subTest(x=x), self.assertRaises(E):\n        x()"),
        ([], "for _again in y:\n    self.assertTrue(f())"),
        ([], "for x in y:\n    f(x)\nself.assertTrue(x)"),
        ([], "@given(z)\ndef test(y):\n    for x in y:\n        assert x"),
    ],
)
def test_d04_the_walk_finds_loops(expected, source):
    assert _find_bare_loops(ast.parse(source)) == expected


def _get_assertions():
    """Return the classes that define each assertion method, by its name."""
    found = collections.defaultdict(list)
    for file in FILES:
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding='utf-8'))):
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and method.name.startswith('assert'):
                        # An override that calls the inherited assertion has the same meaning.
                        if f'super().{method.name}(' not in ast.unparse(method):
                            found[method.name].append(f'{file.stem}.{node.name}')
    return found


def test_d03_each_assertion_has_one_meaning():
    assertions = _get_assertions()
    assert 'assertOAuth2Error' in assertions
    assert not {name: classes for name, classes in assertions.items() if len(classes) > 1}
