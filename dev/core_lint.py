"""Runs the tests of Odoo's module `test_lint` for the files of this addon only.

`test_lint` checks every addon that it finds: hundreds, which takes minutes, and it fails when a distribution has
changed Odoo. Here its test classes run unchanged in a database with this addon, but the two functions that list all
addons return only this one. Checks of the registry (overrides, routes, names, indexes, docstrings) cover this addon and
the few modules that it depends on. `test_checkers` (tests of the checkers themselves) and `test_l10n` (localisations)
do not run.
"""

import logging
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

# Removes the folder of this file, whose modules would hide those of the standard library (`test`).
del sys.path[0]

import odoo.modules  # noqa: E402
from odoo.modules import Manifest  # noqa: E402
from odoo.modules.registry import Registry  # noqa: E402
from odoo.tools import config  # noqa: E402

MODULE = 'orestapi'


def _test_classes():
    from odoo.addons.test_lint.tests import (  # after the configuration and the patches
        test_docstring,
        test_dunderinit,
        test_eslint,
        test_i18n,
        test_index,
        test_jstranslate,
        test_manifests,
        test_markers,
        test_naming,
        test_onchange_domains,
        test_orm_import,
        test_override_signatures,
        test_pofile,
        test_pylint,
        test_routes,
        test_test_holes,
    )

    class TestConflictMarkers(test_markers.TestConflictMarkers):
        # The original walks through all of Odoo.
        def test_conflict_markers(self):
            for extension in test_markers.EXTENSIONS:
                for path in self.iter_module_files(f'*{extension}'):
                    self.check_file(path)

    class TestESLint(test_eslint.TestESLint):
        # The original also runs it for modules of the point of sale; ESLint fails if there are no files.
        def _test_eslint(self, modules, eslintrc_path):
            if modules:
                super()._test_eslint(modules, eslintrc_path)

    class TestPyLint(test_pylint.TestPyLint):
        # The original checks everything below the addon, most of which is tests and tools. There, ruff finds the same
        # undefined names in a second instead of a minute.
        def test_pylint(self):
            folders = [path.parent for path in sorted(Path(config.root_path).glob('*/__init__.py'))]
            runtime = [SimpleNamespace(path=str(path)) for path in folders if path.name not in ('dev', 'tests')]
            with (
                patch.object(Manifest, 'all_addon_manifests', staticmethod(lambda: runtime)),
                patch.dict(vars(config), root_path=runtime[0].path),
            ):
                super().test_pylint()

    class PathOfOdooTests(type(Path())):
        # Leaves out the tests of packages without Odoo, which pytest runs and Odoo must not import.
        def rglob(self, pattern):
            return [
                path
                for path in super().rglob(pattern)
                if path.parent.name not in ('jose', 'layers', 'oauth2', 'openid', 'records')
            ]

    class TestTestHoles(test_test_holes.TestTestHoles):
        def test_check_tests(self):
            with patch.object(test_test_holes, 'pathlib', SimpleNamespace(Path=PathOfOdooTests)):
                super().test_check_tests()

    return [
        test_docstring.TestDocstring,
        test_dunderinit.TestDunderinit,
        test_i18n.TestI18n,
        test_index.TestIndex,
        test_jstranslate.TestJsTranslations,
        test_manifests.ManifestLinter,
        TestConflictMarkers,
        test_naming.TestNaming,
        test_onchange_domains.TestOnchangeDomains,
        test_orm_import.TestDunderinit,
        test_override_signatures.TestLintOverrideSignatures,
        test_pofile.PotLinter,
        TestPyLint,
        test_routes.RoutesLinter,
        TestTestHoles,
        TestESLint,
    ]


def main():
    config.parse_config(sys.argv[1:], setup_logging=True)
    manifest = Manifest.for_addon(MODULE)
    registry = Registry(config['db_name'][0])
    config['test_enable'] = True  # only now, or loading the registry would run the tests of Odoo's modules
    odoo.modules.module.current_test = True
    with (
        patch.object(Manifest, 'all_addon_manifests', staticmethod(lambda: [manifest])),
        patch.object(odoo.modules, 'get_modules', lambda: [MODULE]),  # before test_lint imports it by name
        # test_pylint starts at the addon instead of Odoo
        patch.dict(vars(config), root_path=manifest.path),  # a cached property
    ):
        from odoo.tests.result import OdooTestResult
        from odoo.tests.suite import OdooSuite

        load = unittest.TestLoader().loadTestsFromTestCase
        suite = OdooSuite(test for case in _test_classes() for test in load(case))
        result = OdooTestResult()
        suite(result)
    logging.getLogger('odoo.tests.result').info('%s', result)
    return 0 if result.wasSuccessful() and registry else 1


if __name__ == '__main__':
    sys.exit(main())
