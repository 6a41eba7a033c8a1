from odoo.http import request

from ..dispatchers.cross_origin import make_empty_response
from ..dispatchers.headers import PAGE


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


def _choose_language():
    """Choose the language of a page: the user's, or before the login the browser's.

    The rule is that of the records API, see `res.lang._choose_code`.

    :return: the headers that tell the language (RFC 9110 §8.5)
    """
    language = request.env['res.lang']
    if not request.session.uid:
        header = request.httprequest.headers.get('Accept-Language')
        request.update_context(lang=language._choose_code(header, request.env.lang))
    return {'Content-Language': language._get_language_tag(request.env.lang)}
