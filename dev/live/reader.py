"""The browser of a reader of the documents: `python -m dev.live.reader URL` allows an authorization request.

The programs of the documents start it as `$BROWSER`.
"""

import html
import re
import sys

import requests

from dev.workbench.odoo_server import LOGIN, PASSWORD


def allow(address, login=LOGIN, password=PASSWORD):
    """Open an authorization request, log in and press *Allow*.

    :param str address: the URI of the authorization request
    :return: the URI that the browser is redirected to, with the code
    """
    browser = requests.Session()
    page = browser.get(address)
    if 'name="password"' in page.text:
        fields = read_fields(page.text)
        page = browser.post(page.url, data={**fields, 'login': login, 'password': password})
    assert page.status_code == 200, page.text
    answer = browser.post(page.url, data={**read_fields(page.text), 'decision': 'allow'}, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers['Location']


def read_fields(page):
    """Return the hidden fields of the form of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


if __name__ == '__main__':
    requests.get(allow(sys.argv[1]), timeout=10)
