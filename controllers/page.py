import re

from odoo.http import request

from ..dispatchers.cross_origin import make_empty_response
from ..dispatchers.headers import PAGE

#: A language tag in the parameter `ui_locales` (BCP 47).
LANGUAGE_TAG = re.compile(r'(?<!\S)[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*(?!\S)', re.ASCII)
#: Characters of that parameter that are read.
MAX_LOCALES = 500


def render_page(template, values, status=200):
    """Return a page for a person, in their language and with the headers of all pages.

    :param str template: the XML id of the template
    :param dict values: the values of the template
    :param int status: the HTTP status
    """
    language = _choose_language()
    response = request.render(template, values, status=status)
    response.headers.update({**PAGE, **language})
    return response


def make_redirect(location):
    """Return a redirect with the headers of all pages.

    The status is 303, so that neither a redirect nor a reload sends a form again (RFC 9700 §4.12).

    :param str location: the address
    """
    return make_empty_response(303, {'Location': location, **PAGE})


def find_wished_language():
    """Return the code of the language that the application wishes for its user, or None.

    :return: the first installed one of the parameter `ui_locales` (OpenID Connect Core §3.1.2.1, RP-Initiated Logout
        §2); other values are ignored, as the specification demands
    """
    tags = LANGUAGE_TAG.findall(request.httprequest.args.get('ui_locales', '')[:MAX_LOCALES])
    return request.env['res.lang']._find_code(tags) if tags else None


def _choose_language():
    """Choose the language of a page: the user's, or before the login that of the application or of the browser.

    The rule is that of the records API, see `res.lang._choose_code`.

    :return: the headers that tell the language (RFC 9110 §8.5)
    """
    language = request.env['res.lang']
    if not request.session.uid:
        header = request.httprequest.headers.get('Accept-Language')
        code = find_wished_language() or language._choose_code(header, request.env.lang)
        request.update_context(lang=code)
    return {'Content-Language': language._get_language_tag(request.env.lang)}
