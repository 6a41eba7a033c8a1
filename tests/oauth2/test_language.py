import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import language

LANGUAGES = {
    'en_GB': 'en_GB', 'en_US': 'en', 'zh_CN': 'zh_CN', 'zh_HK': 'zh_HK', 'zh_TW': 'zh_TW', 'sr@latin': 'sr@latin',
    'sr@Cyrl': 'sr@Cyrl', 'de_CH': 'de_CH', 'de_DE': 'de', 'es_ES': 'es', 'es_419': 'es_419', 'pt_BR': 'pt_BR',
    'pt_PT': 'pt', 'nb_NO': 'nb_NO', 'tl_PH': 'tl', 'he_IL': 'he', 'hu_HU': 'hu', 'ca_ES@valencia': 'ca_ES@valencia',
}  # fmt: skip


@pytest.mark.parametrize(
    ('header', 'expected'),
    [
        # Letter case, and underscores.
        ('zh-tw', 'zh_TW'),
        ('EN-us', 'en_US'),
        ('en_GB', 'en_GB'),
        # Scripts.
        ('zh-Hant', 'zh_TW'),
        ('zh-hant-hk', 'zh_HK'),
        ('zh-MO', 'zh_HK'),
        ('zh-Hans-SG', 'zh_CN'),
        ('zh', 'zh_CN'),
        ('sr', 'sr@Cyrl'),
        ('sr-Latn', 'sr@latin'),
        ('sr-LATN-RS', 'sr@latin'),
        ('sr-RS', 'sr@Cyrl'),
        ('sr-ME', 'sr@latin'),
        # A language with a name of its own in Odoo, and the closest region.
        ('en', 'en_US'),
        ('en-NZ', 'en_US'),
        ('de', 'de_DE'),
        ('de-AT', 'de_DE'),
        ('de-CH-1996', 'de_CH'),
        ('es', 'es_ES'),
        ('es-MX', 'es_419'),
        ('pt', 'pt_PT'),
        ('pt-BR', 'pt_BR'),
        ('ca-ES-valencia', 'ca_ES@valencia'),
        # Other names of a language.
        ('no', 'nb_NO'),
        ('nb', 'nb_NO'),
        ('fil', 'tl_PH'),
        ('iw', 'he_IL'),
        # Qualities and wildcards.
        ('de;q=0.1, en-GB;q=0.9', 'en_GB'),
        ('xx, de;q=0.5', 'de_DE'),
        ('xx, de ; Q=0.5, en', 'en_US'),
        ('de, es', 'de_DE'),
        ('de;q=nonsense, es', 'es_ES'),
        ('*', 'hu_HU'),
        ('xx, *;q=0.1', 'hu_HU'),
        ('hu;q=0, *', 'en_US'),
        ('en-US;q=0, en', 'en_GB'),
        ('xx', 'hu_HU'),
        ('xx, hu;q=0', 'hu_HU'),
        ('', 'hu_HU'),
        (None, 'hu_HU'),
        (',;,-,1,en-', 'hu_HU'),
    ],
)
def test_r02_lookup(header, expected):
    assert language.choose(header, LANGUAGES, 'hu_HU') == expected
    assert language.choose(header, dict(reversed(LANGUAGES.items())), 'hu_HU') == expected


def test_r02_only_another_region_or_script():
    assert language.choose('en', {'en_AU': 'en_AU', 'en_GB': 'en_GB'}, 'en_GB') == 'en_GB'
    assert language.choose('en', {'en_AU': 'en_AU', 'en_GB': 'en_GB'}, 'hu_HU') == 'en_AU'
    assert language.choose('zh-TW', {'zh_CN': 'zh_CN', 'hu_HU': 'hu'}, 'hu_HU') == 'zh_CN'
    assert language.choose('en', {}, 'hu_HU') == 'hu_HU'
    assert language.choose('*', {}, 'hu_HU') == 'hu_HU'


@pytest.mark.parametrize(
    ('code', 'tag'),
    [
        ('en_US', 'en-US'), ('es_419', 'es-419'), ('ar_001', 'ar-001'), ('sw', 'sw'), ('kab_DZ', 'kab-DZ'),
        ('sr@latin', 'sr-Latn'), ('sr@Cyrl', 'sr-Cyrl'), ('uz_UZ@cyrillic', 'uz-Cyrl-UZ'), ('de_DE@euro', 'de-DE'),
        ('ca_ES@valencia', 'ca-ES-valencia'), ('zh_hant_tw', 'zh-Hant-TW'), ('', 'und'), ('x', 'und'), ('@', 'und'),
    ],
)  # fmt: skip
def test_r02_tags(code, tag):
    assert language.get_tag(code) == tag


@given(st.text())
def test_r02_any_header(header):
    assert language.choose(header, LANGUAGES, 'hu_HU') in LANGUAGES
    # Other characters are not allowed in a header.
    assert language.get_tag(header).replace('-', '').isalnum()
