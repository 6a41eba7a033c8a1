"""The browser of a reader of the documents: `python -m dev.live.reader URL` allows an authorization request.

The programs of the documents start it as `$BROWSER`.
"""

import sys
from urllib.parse import urljoin

import requests

from dev.workbench.oauth2_client import read_form
from dev.workbench.odoo_server import LOGIN, PASSWORD


def allow(address, login=LOGIN, password=PASSWORD):
    """Open an authorization request, log in and press *Allow*.

    :param str address: the URI of the authorization request
    :return: the URI that the browser is redirected to, with the code
    """
    browser = requests.Session()
    page = browser.get(address)
    if 'name="password"' in page.text:
        _action, fields = read_form(page.text)
        page = browser.post(page.url, data={**fields, 'login': login, 'password': password})
    assert page.status_code == 200, page.text
    answer = press_allow(browser, page)
    assert answer.status_code == 303, answer.text
    return answer.headers['Location']


def press_allow(browser, page):
    """Send the form of a consent page, and return the answer."""
    action, fields = read_form(page.text)
    return browser.post(urljoin(page.url, action), data={**fields, 'decision': 'allow'}, allow_redirects=False)


if __name__ == '__main__':
    requests.get(allow(sys.argv[1]), timeout=10)
