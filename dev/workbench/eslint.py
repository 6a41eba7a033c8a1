"""ESLint, which Odoo's test_lint runs on JavaScript files."""

from .npm import install, node_folder

VERSION = '8.57.1'  # the last one that reads the configuration format of Odoo 19's test_lint


def eslint_path():
    """Return the folders to put on PATH so that the program ``eslint`` runs, and install it if necessary."""
    return [str(install('eslint', VERSION) / 'node_modules' / '.bin'), str(node_folder())]
