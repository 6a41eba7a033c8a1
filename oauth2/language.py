"""The language of a response or a page: the tags of BCP 47, and the lookup of RFC 4647 §3.4."""

import functools
import re

RANGE = re.compile(r'\*|[A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8})*', re.ASCII)
QUALITY = re.compile(r'0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?', re.ASCII)
#: Items of one header that are read: no browser sends more than a dozen.
MAX_RANGES = 50

#: Script names behind the `@` in the codes of Odoo, which are those of glibc.
SCRIPTS = {'latin': 'Latn', 'cyrillic': 'Cyrl', 'arabic': 'Arab', 'devanagari': 'Deva'}

#: Tags that browsers send for a language that has another one in Odoo.
ALIASES = {'fil': 'tl', 'in': 'id', 'iw': 'he', 'ji': 'yi', 'mo': 'ro', 'no': 'nb', 'sh': 'sr-Latn'}

#: Languages with two scripts: the usual one, and the regions that use the other.
USUAL_SCRIPTS = {
    'az': ('Latn', {'IR': 'Arab'}),
    'pa': ('Guru', {'PK': 'Arab'}),
    'sr': ('Cyrl', {'ME': 'Latn'}),
    'uz': ('Latn', {'AF': 'Arab'}),
    'zh': ('Hans', {'HK': 'Hant', 'MO': 'Hant', 'TW': 'Hant'}),
}
#: The region implied by a language tag without one, where it has another name than the language (CLDR, likely
#: subtags).
USUAL_REGIONS = {
    'ar': '001', 'bn': 'IN', 'bs': 'BA', 'ca': 'ES', 'cs': 'CZ', 'da': 'DK', 'el': 'GR', 'en': 'US', 'et': 'EE',
    'eu': 'ES', 'fa': 'IR', 'gl': 'ES', 'he': 'IL', 'hi': 'IN', 'ja': 'JP', 'ko': 'KR', 'nb': 'NO', 'sl': 'SI',
    'sq': 'AL', 'sv': 'SE', 'uk': 'UA', 'vi': 'VN', 'zh': 'CN', 'zh-Hant': 'TW',
}  # fmt: skip
LATIN_AMERICA = (
    'AR', 'BO', 'BR', 'BZ', 'CL', 'CO', 'CR', 'CU', 'DO', 'EC', 'GT', 'HN', 'MX', 'NI', 'PA', 'PE', 'PR', 'PY', 'SV',
    'US', 'UY', 'VE',
)  # fmt: skip
#: Regions whose language is closer to that of another region than to the usual one (CLDR, parent locales).
PARENT_REGIONS = {('zh', 'MO'): 'HK', **{('es', region): '419' for region in LATIN_AMERICA}}


@functools.lru_cache(maxsize=256)
def get_tag(code):
    """Return the language tag (BCP 47) of a language of Odoo.

    :param str code: for example `en_US`, `sr@latin` or `ca_ES@valencia`
    """
    code, _at, modifier = code.partition('@')
    modifier = SCRIPTS.get(modifier.lower(), modifier)
    subtags = [subtag for subtag in re.split('[-_]', code) if re.fullmatch('[A-Za-z0-9]{1,8}', subtag, re.ASCII)]
    if not subtags or not re.fullmatch('[A-Za-z]{2,8}', subtags[0], re.ASCII):
        return 'und'
    if modifier != 'euro' and re.fullmatch('[A-Za-z]{4}', modifier, re.ASCII):
        subtags.insert(1, modifier)
    elif re.fullmatch('[A-Za-z0-9]{5,8}', modifier, re.ASCII):
        subtags.append(modifier)
    return _normalize('-'.join(subtags))


def choose(header, languages, default):
    """Return the language that suits a request best.

    :param header: the header `Accept-Language` (RFC 9110 §12.5.4), or None
    :param dict languages: the ISO code of each language there is, by its code
    :param str default: the code of the language to use when no requested language is available
    :return: the code of one of the languages, or `default`
    """
    ranges = _parse(header or '')
    wished = [(range_, quality) for range_, quality in ranges if quality]
    refused = [range_ for range_, quality in ranges if not quality and range_ != '*']
    available = {
        code: iso_code
        for code, iso_code in languages.items()
        if not any(_begins_with(get_tag(code), range_) for range_ in refused)
        or any(get_tag(code) == range_ for range_, _quality in wished)
    }
    # The sort is stable: languages of equal quality keep their order.
    for range_, _quality in sorted(wished, key=lambda item: -item[1]):
        if range_ == '*':
            if default in available or not available:
                return default
            return min(available, key=lambda code: (code != 'en_US', code))
        if code := _look_up(range_, available, default):
            return code
    return default


def _parse(header):
    ranges = []
    for item in header.split(',', MAX_RANGES)[:MAX_RANGES]:
        range_, *parameters = (part.strip() for part in item.split(';'))
        if not RANGE.fullmatch(range_):
            continue
        quality = 1.0
        for parameter in parameters:
            name, _equals, value = parameter.partition('=')
            if name.strip().lower() == 'q':
                quality = float(value.strip()) if QUALITY.fullmatch(value.strip()) else 0.001
        ranges.append((_normalize(range_), quality))
    return ranges


def _normalize(tag):
    """Return a tag in the letters of RFC 5646 §2.1.1."""
    language, *others = tag.replace('_', '-').split('-')
    written = [language.lower()]
    for position, subtag in enumerate(others):
        if 'x' in (part.lower() for part in others[:position]):
            written.append(subtag.lower())
        elif len(subtag) == 4 and subtag.isalpha():
            written.append(subtag.title())
        elif (len(subtag) == 2 and subtag.isalpha()) or (len(subtag) == 3 and subtag.isdigit()):
            written.append(subtag.upper())
        else:
            written.append(subtag.lower())
    return '-'.join(written)


def _begins_with(tag, range_):
    return f'{tag}-'.startswith(f'{range_}-')


def _split(tag):
    """Return language, script and region of a tag; None for each that is missing."""
    language, *others = tag.split('-')
    script = region = None
    for subtag in others:
        if len(subtag) == 1:
            break
        if len(subtag) == 4 and subtag.isalpha():
            script = script or subtag
        elif (len(subtag) == 2 and subtag.isalpha()) or (len(subtag) == 3 and subtag.isdigit()):
            region = region or subtag
    return language, script, region


def _get_script(language, script, region):
    usual, by_region = USUAL_SCRIPTS.get(language, (None, {}))
    return script or by_region.get(region, usual)


def _look_up(range_, languages, default):
    """Return the code of the language that a range names, or the closest to it; None where there is none."""
    first, _hyphen, rest = range_.partition('-')
    if first in ALIASES:
        range_ = '-'.join(filter(None, [ALIASES[first], rest]))
    language, script, region = _split(range_)
    related = {}
    for code, iso_code in languages.items():
        tag = get_tag(code)
        if tag.split('-')[0] == language or get_tag(iso_code or '').split('-')[0] == language:
            related[code] = (tag, get_tag(iso_code or code), *_split(tag)[1:])
    if not related:
        return None
    wished_script = _get_script(language, script, region)
    usual_region = USUAL_REGIONS.get(f'{language}-{wished_script}') or USUAL_REGIONS.get(language, language.upper())

    def get_distance(code):
        tag, iso_tag, own_script, own_region = related[code]
        return (
            # RFC 4647 cuts subtags off from the right, so the script counts more than the region.
            wished_script != _get_script(language, own_script, own_region),
            # An exact match first.
            tag != range_,
            region is None or region != own_region,
            own_region != PARENT_REGIONS.get((language, region), ''),
            # Without a region: first the language that has this tag in Odoo, then the default, then the usual one.
            iso_tag != language,
            code != default,
            own_region != usual_region,
            code,
        )

    return min(related, key=get_distance)
