import io
import re
from pathlib import Path

import polib  # which Odoo itself uses too

from odoo.modules import get_module_path
from odoo.tests import TransactionCase
from odoo.tools.translate import trans_export

#: Parts that a translation must keep: placeholders and tags.
KEPT = re.compile(r'%\(\w+\)[a-z]|%[a-z]|</?[a-z][^>]*>')


class TestTranslations(TransactionCase):
    """Each term in each language. A placeholder that is missing would lose the name of an application in a sentence."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(get_module_path('orestapi'), 'i18n')
        cls.terms = {entry.msgid for entry in polib.pofile(str(cls.folder / 'orestapi.pot'))}

    def assertTranslated(self, language):
        entries = polib.pofile(str(self.folder / f'{language}.po'), check_for_duplicates=True)
        translations = {entry.msgid: entry.msgstr for entry in entries if not entry.fuzzy and not entry.obsolete}
        self.assertEqual(set(translations), self.terms)
        for term, translation in translations.items():
            with self.subTest(term=term):
                self.assertTrue(translation.strip())
                self.assertEqual(sorted(KEPT.findall(translation)), sorted(KEPT.findall(term)))

    def test_terms(self):
        """The template has every term that is in the addon now, and no other: `make translations` writes it."""
        export = io.BytesIO()
        trans_export(None, ['orestapi'], export, 'po', self.env)
        terms = {entry.msgid for entry in polib.pofile(export.getvalue().decode())}
        if self.env.ref('base.module_orestapi').demo:
            self.assertEqual(self.terms, terms)
        else:
            self.assertLessEqual(terms, self.terms)

    def test_german(self):
        self.assertTranslated('de')

    def test_spanish(self):
        self.assertTranslated('es')

    def test_french(self):
        self.assertTranslated('fr')

    def test_hungarian(self):
        self.assertTranslated('hu')
