from odoo.http import request


def choose_page_language():
    """Show a page in the language of the user, and before the login in that of the browser.

    By the same rule as for the records API: see `res.lang._choose_code`.

    :return: the headers that tell the language (RFC 9110 §8.5)
    """
    language = request.env['res.lang']
    if not request.session.uid:
        header = request.httprequest.headers.get('Accept-Language')
        request.update_context(lang=language._choose_code(header, request.env.lang))
    return {'Content-Language': language._get_language_tag(request.env.lang)}
