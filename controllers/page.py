from odoo.http import request

from ..dispatchers.headers import PAGE


def render_page(template, values, status=200):
    """Return a page for a person, in their language and with the headers of all pages.

    :param str template: the XML id of the template
    :param dict values: what it shows
    :param int status: the HTTP status
    """
    language = _choose_language()
    response = request.render(template, values, status=status)
    response.headers.update({**PAGE, **language})
    return response


def _choose_language():
    """Show a page in the language of the user, and before the login in that of the browser.

    By the same rule as for the records API: see `res.lang._choose_code`.

    :return: the headers that tell the language (RFC 9110 §8.5)
    """
    language = request.env['res.lang']
    if not request.session.uid:
        header = request.httprequest.headers.get('Accept-Language')
        request.update_context(lang=language._choose_code(header, request.env.lang))
    return {'Content-Language': language._get_language_tag(request.env.lang)}
