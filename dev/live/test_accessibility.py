"""The pages that users see, checked with axe-core and with the keyboard in Chromium."""

from urllib.parse import parse_qs, urlsplit

import pytest

from dev.workbench.cache import show
from dev.workbench.npm import install
from dev.workbench.oauth2_client import get_authorization_path
from dev.workbench.odoo_server import LOGIN, PASSWORD

pytestmark = pytest.mark.same

AXE_VERSION = '4.14.1'
CALLBACK = 'http://127.0.0.1/callback'

#: Widths in pixels; WCAG 1.4.10 requires 320.
DESKTOP, PHONE, NARROW = 1280, 390, 320


@pytest.fixture(scope='session')
def axe():
    return (install('axe-core', AXE_VERSION) / 'node_modules/axe-core/axe.min.js').read_text()


@pytest.fixture(params=[DESKTOP, PHONE], ids=['desktop', 'phone'])
def page(browser_page, request):
    browser_page.set_viewport_size({'width': request.param, 'height': 800})
    return browser_page


@pytest.fixture
def application(live):
    # A new application, because the user is not asked again about one that they have allowed.
    return live.register(CALLBACK, name="Wiki of the Department for Rindfleischetikettierungsueberwachungsaufgaben")


def get_uri(live, application, **parameters):
    parameters = {'scope': 'read rpc', 'state': 's', **parameters}
    return live.url + get_authorization_path(application.client_id, application.redirect_uri, **parameters)


def submit_login(page, login=LOGIN, password=PASSWORD):
    page.fill('input[name=login]', login)
    page.fill('input[name=password]', password)
    page.press('input[name=password]', 'Enter')


def log_in(page, live, login=LOGIN, password=PASSWORD):
    """Log in the browser of a page by cookie, because Odoo's login page takes longer than a page of this addon."""
    session = live.log_in(login, password)
    page.context.add_cookies([{'name': 'session_id', 'value': session.cookies['session_id'], 'url': live.url}])
    return session


def open_consent(page, live, application):
    log_in(page, live)
    page.goto(get_uri(live, application))
    page.wait_for_selector('button[value=allow]')


def open_not_allowed(page, live, application):
    live.call(
        'orestapi.application', 'write', [application.id], {'group_ids': [(6, 0, [live.find_id('base.group_system')])]}
    )
    log_in(page, live, 'demo', 'demo')
    page.goto(get_uri(live, application))
    page.wait_for_selector("a[href*='error=access_denied']")


def open_error(page, live, application):
    page.goto(get_uri(live, application, client_id='nobody'))
    assert page.locator('code').count() == 1


def open_connected_applications(page, live, application):
    live.sign_in(log_in(page, live), application)
    page.goto(f'{live.url}/oauth2/applications')
    page.wait_for_selector('a[href*="?authorization="]')


def open_question(page, live, application):
    open_connected_applications(page, live, application)
    page.click('a[href*="?authorization="]')
    page.wait_for_selector('button[name=authorization]')


def open_documentation(page, live, application):
    live.sign_in(log_in(page, live), application)
    page.goto(f'{live.url}/orestapi/1/docs')
    page.wait_for_selector('h2')


PAGES = [open_consent, open_not_allowed, open_error, open_connected_applications, open_question, open_documentation]


def find_violations(page, axe):
    """Return the violations that axe-core finds, one line per element."""
    page.evaluate(axe)
    result = page.evaluate('axe.run()')
    assert len(result['passes']) > 10, "axe-core checked almost nothing."
    return [
        f'{violation["id"]}: {violation["help"]}: {node["html"]}'
        for violation in result['violations']
        for node in violation['nodes']
    ]


@pytest.mark.parametrize('open_page', PAGES)
def test_axe(live, page, axe, application, open_page):
    open_page(page, live, application)
    violations = find_violations(page, axe)
    assert not violations, '\n'.join(violations)


def test_axe_finds(live, page, axe, application):
    """The check itself notices a violation."""
    open_consent(page, live, application)
    page.evaluate("document.documentElement.removeAttribute('lang')")
    page.evaluate("document.querySelector('h1').style.color = '#ccc'")
    assert {line.split(':')[0] for line in find_violations(page, axe)} == {'html-has-lang', 'color-contrast'}


def test_login(live, page, axe, application, capsys):
    """A user who is not logged in sees Odoo's own page first, then the consent page."""
    page.goto(get_uri(live, application))
    assert urlsplit(page.url).path == '/web/login'
    # The page is Odoo's own, so its violations are only reported.
    with capsys.disabled():
        for violation in find_violations(page, axe):
            show(f"\nOdoo's login page: {violation}")
    submit_login(page)
    page.wait_for_selector('button[value=allow]')
    assert application.client_id in page.url


def press_tab(page):
    """Press Tab and return the text of the focused element."""
    page.keyboard.press('Tab')
    return page.evaluate("document.activeElement === document.body ? '' : document.activeElement.innerText.trim()")


def test_tab_order(live, page, application):
    open_consent(page, live, application)
    seen = [press_tab(page) for _ in range(4)]
    assert seen == ["Not you?", "Allow", "Deny", '']


def test_visible_focus(live, page, application):
    open_consent(page, live, application)
    for name in ("Not you?", "Allow", "Deny"):
        assert press_tab(page) == name
        page.wait_for_timeout(300)  # the stylesheet fades it in
        focused = page.screenshot()
        style = page.evaluate(
            "(({outlineStyle, outlineWidth, boxShadow}) => [outlineStyle, outlineWidth, boxShadow])"
            "(getComputedStyle(document.activeElement))"
        )
        page.evaluate("document.activeElement.blur()")
        page.wait_for_timeout(300)
        assert page.screenshot() != focused, f"The focus on {name} is not visible."
        assert (style[0] != 'none' and style[1] != '0px') or style[2] != 'none', style
        # Restores the focus.
        page.evaluate(
            "name => [...document.querySelectorAll('main a, main button')]"
            ".find(element => element.innerText.trim() === name).focus()",
            name,
        )


@pytest.mark.parametrize(
    ('presses', 'name', 'parameter', 'value'),
    [
        (2, "Allow", 'code', None),
        (3, "Deny", 'error', 'access_denied'),
    ],
)
def test_enter(live, page, application, presses, name, parameter, value):
    open_consent(page, live, application)
    focused = [press_tab(page) for _ in range(presses)][-1]
    assert focused == name
    with page.expect_request(lambda request: request.url.startswith(f'{CALLBACK}?')) as request:
        page.keyboard.press('Enter')
    response = parse_qs(urlsplit(request.value.url).query)
    assert response['state'] == ['s']
    assert response['iss'] == [live.url]
    assert set(response) == {parameter, 'state', 'iss'} | ({'error_description'} if value else set())
    assert value is None or response[parameter] == [value]


def test_enter_not_you(live, page, application):
    """Another person logs in, and the page asks them under their own name."""
    open_consent(page, live, application)
    assert press_tab(page) == "Not you?"
    page.keyboard.press('Enter')
    page.wait_for_url('**/web/login**')
    submit_login(page, 'demo', 'demo')
    page.wait_for_selector('button[value=allow]')
    assert "Marc Demo" in page.inner_text('main')


@pytest.mark.parametrize('open_page', PAGES)
def test_no_sideways_scrolling(live, browser_page, application, open_page):
    browser_page.set_viewport_size({'width': NARROW, 'height': 640})
    open_page(browser_page, live, application)
    assert browser_page.evaluate('document.documentElement.scrollWidth') <= NARROW
