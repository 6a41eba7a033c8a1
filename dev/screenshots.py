"""`make screenshots`: takes the pictures of `static/description/` and `docs/screenshots/` from the running addon."""

import base64
import io
import secrets

from .workbench.cache import CHECKOUT, CommandError, run_command, show
from .workbench.environment import enter
from .workbench.oauth2_client import get_authorization_path

#: The URL that the pictures show instead of that of the local server.
ISSUER = 'https://odoo.example.com'
COMPANY = 'Example Company'
#: Login and password of somebody who only administers applications, for whom most pages are made.
ADMINISTRATOR = 'application-administrator'
LARGEST = 200_000  # bytes of a picture
DEVICES = {
    'desktop': {'viewport': {'width': 1280, 'height': 720}},
    'phone': {
        'viewport': {'width': 390, 'height': 844},
        'device_scale_factor': 2,
        'is_mobile': True,
        'has_touch': True,
    },
}
FOLDERS = {'desktop': CHECKOUT / 'static' / 'description', 'phone': CHECKOUT / 'docs' / 'screenshots'}
#: Smallest and largest height of a picture in pixels.
LOWEST, HIGHEST = 480, 1400


class Camera:
    """A browser window of one device, logged in as one user.

    :ivar page: the page of Playwright
    """

    def __init__(self, browser, device, server, login):
        self.device = device
        self.login = login
        self.server = server
        self.page = browser.new_context(**DEVICES[device]).new_page()
        # Redirects to a page without scripts: the web client would keep loading and disturb the next page.
        self.page.goto(f'{server.url}/web/login?redirect=/web/health')
        self.page.fill('input[name=login]', login)
        self.page.fill('input[name=password]', login)  # the same as the login in the demo data
        self.page.press('input[name=password]', 'Enter')
        self.page.wait_for_url('**/web/health')

    def open(self, path, selector):
        """Open a page of the server and wait for an element."""
        self.page.set_viewport_size(DEVICES[self.device]['viewport'])
        self.page.goto(self.server.url + path)
        self.page.wait_for_selector(selector)

    def open_tab(self, name):
        self.page.click(f'.o_notebook_headers a[name="{name}"]')

    def shoot(self, name, selector=None):
        """Write a picture of the window, as high as its content, or of one element."""
        # An element that does not fit would be scrolled below the header of the page.
        self._fit(HIGHEST if selector is None else 3 * HIGHEST)
        # Waits for fonts, logos and animations, and hides the blinking cursor, so that pictures differ only by content.
        self.page.evaluate('document.fonts.ready')
        self.page.evaluate('document.activeElement.blur()')
        self.page.mouse.move(0, 0)
        self.page.wait_for_timeout(900)
        path = FOLDERS[self.device] / f'{name}.png'
        path.write_bytes(compress((self.page.locator(selector) if selector else self.page).screenshot()))
        size = path.stat().st_size
        if size > LARGEST:
            raise CommandError(f"{path.name} has {size} bytes, which is too many; show less in it.")
        show(f'  {path.relative_to(CHECKOUT)}: {size // 1000} kB')

    def _fit(self, highest):
        # Pages of Odoo's backend scroll inside; dialogs and this addon's own pages scroll as a whole.
        self.page.wait_for_timeout(600)
        height = self.page.evaluate("""() => {
            const dialog = document.querySelector('.modal-content');
            if (dialog) {
                return dialog.getBoundingClientRect().height + 60;
            }
            const bottoms = [...document.querySelectorAll(`
                .o_form_sheet_bg, .o_list_table, .o_kanban_record:not(.o_kanban_ghost),
                .settings > .show, main > .card`)
            ].map(element => element.getBoundingClientRect().top + element.scrollHeight);
            return Math.max(...bottoms) + 40;
        }""")
        width = DEVICES[self.device]['viewport']['width']
        self.page.set_viewport_size({'width': width, 'height': int(max(LOWEST, min(height, highest)))})


def compress(picture):
    """Return ``picture`` as a PNG file with 256 colours, which these pages hardly exceed."""
    from PIL import Image

    output = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert('RGB')
    image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(output, 'PNG', optimize=True)
    return output.getvalue()


def draw_logo():
    """Return a logo for the company in base64; the demo data has only a placeholder."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new('RGBA', (420, 80))
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, 12, 60, 68), fill='#017e84')
    draw.text((76, 40), COMPANY, fill='#374151', font=ImageFont.load_default(40), anchor='lm')
    output = io.BytesIO()
    image.save(output, 'PNG')
    return base64.b64encode(output.getvalue()).decode()


def shoot_backend(camera, record):
    """Take the pictures of the pages for administrators of applications."""
    page = camera.page
    if camera.device == 'desktop':  # on a phone Odoo shows the kanban view first
        camera.open('/odoo/applications', '.o_list_view .o_data_row')
        camera.shoot('applications')
    camera.open('/odoo/applications?view_type=kanban', '.o_kanban_record')
    camera.shoot('applications_kanban')
    wiki = record('application_wiki')
    camera.open(f'/odoo/applications/{wiki}', '.o_form_view .o_notebook')
    for tab in ('general', 'uris', 'settings', 'audit'):
        camera.open_tab(tab)
        camera.shoot(f'application_{tab}')
    camera.open('/odoo/applications/new', '.o_form_view .o_notebook')
    page.fill('div[name=name] input', 'Library')
    camera.shoot('application_new')
    page.click('.o_form_button_cancel')  # otherwise Odoo saves it when the page is left
    for name in ('model_scheme_wiki', 'model_configuration_partner'):
        path = name.removesuffix('_wiki').removesuffix('_partner')
        camera.open(f'/odoo/{path.replace("_", "-")}s/{record(name)}', '.o_form_view .o_notebook')
        camera.shoot(path)
    camera.open(f'/orestapi/1/docs?application={wiki}', 'main')
    camera.shoot('documentation')
    for name in ('authorizations', 'sign-ins', 'orestapi-events'):
        camera.open(f'/odoo/{name}', '.o_data_row, .o_kanban_record')
        camera.shoot(name.removeprefix('orestapi-').replace('-', '_'))
    camera.open('/odoo/orestapi-settings', '.settings')
    camera.shoot('settings')
    # Taken last, because it changes how the form shows the secret.
    camera.open(f'/odoo/applications/{wiki}', '.o_form_view .o_notebook')
    page.click('button[name=action_ask_generate_client_secret]')
    page.click('.modal .modal-footer button.btn-primary')
    page.wait_for_selector('.modal div[name=password] input')
    page.fill('.modal div[name=password] input', camera.login)
    page.click('.modal button[name=run_check]')
    page.wait_for_selector('.modal div[name=client_secret]')
    camera.shoot('secret')


def shoot_sign_in(camera, server):
    """Take the pictures of an application that only signs people in."""
    uris = [(0, 0, {'uri': 'https://intranet.example.com/callback'})]
    values = {'name': "Intranet", 'kind': 'sign_in', 'uri_ids': uris, 'client_secret': secrets.token_urlsafe(32)}
    application = server.call('orestapi.application', 'create', values)
    camera.open(f'/odoo/applications/{application}', '.o_form_view .o_notebook')
    camera.shoot('sign_in_general')
    camera.open_tab('settings')
    camera.shoot('sign_in_settings', '.o_inner_group:has(> * label:text("ID Token Signature"))')
    # The lists of the other pictures are those of the demo data.
    server.call('orestapi.application', 'unlink', [application])


def shoot_user(camera, record):
    """Take the picture of a user form, as an administrator of users and applications sees it."""
    camera.open(f'/odoo/users/{record("user_admin", "base")}', '.o_form_view .o_notebook')
    camera.open_tab('page_orestapi')
    camera.shoot('user')


def shoot_preferences(camera):
    """Take the picture of an employee's own connected applications."""
    page = camera.page
    camera.open('/odoo', '.o_web_client')
    if camera.device == 'phone':
        page.click('.o_mobile_menu_toggle')
        page.click('.o_user_menu_mobile a >> text=Preferences')
    else:
        page.click('.o_user_menu button')
        page.click('[data-menu=preferences]')
    page.wait_for_selector('.o_notebook_headers a[name=page_orestapi]')
    camera.open_tab('page_orestapi')
    camera.shoot('preferences')


def main():
    enter('dev.screenshots', 'test')
    from playwright.sync_api import sync_playwright

    from .workbench.odoo_server import LOGIN, MODULE, Workbench  # needs the environment

    for folder in FOLDERS.values():
        folder.mkdir(parents=True, exist_ok=True)
    with (
        Workbench() as bench,
        bench.database('screenshots') as database,
        # Without cron, because the daily clean-up would remove demo records.
        bench.serve(database, '--max-cron-threads', '0') as server,
        sync_playwright() as playwright,
    ):
        server.call('ir.config_parameter', 'set_param', f'{MODULE}.issuer', ISSUER)
        server.call('res.company', 'write', [1], {'name': COMPANY, 'logo': draw_logo()})

        def record(name, module=MODULE):
            return server.find_id(f'{module}.{name}')

        server.call(
            'res.users',
            'create',
            {
                'name': "Ada Application",
                'login': ADMINISTRATOR,
                'password': ADMINISTRATOR,
                'group_ids': [(6, 0, [record('group_administrator')])],
            },
        )
        browser = playwright.chromium.launch(
            executable_path='/usr/bin/chromium',
            args=['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
        )
        shop = record('application_shop')
        [shop_values] = server.call('orestapi.application', 'read', [shop], ['group_ids'])
        path = get_authorization_path('web-shop-demo', 'https://shop.example.com/odoo/callback', scope='read rpc')
        for device in DEVICES:
            show(f'Pictures of a {device}')
            shoot_backend(Camera(browser, device, server, ADMINISTRATOR), record)
            shoot_sign_in(Camera(browser, device, server, ADMINISTRATOR), server)
            shoot_user(Camera(browser, device, server, LOGIN), record)
            camera = Camera(browser, device, server, 'demo')
            shoot_preferences(camera)
            camera.open(path, 'button[value=allow]')
            camera.shoot('consent')
            camera.open('/oauth2/applications', 'a[href*="authorization="]')
            camera.shoot('connected_applications')
            camera.open('/oauth2/authorize?client_id=unknown', 'code')
            camera.shoot('error')
            administrators = record('group_system', 'base')
            server.call('orestapi.application', 'write', [shop], {'group_ids': [(6, 0, [administrators])]})
            camera.open(path, "a[href*='error=access_denied']")
            camera.shoot('not_allowed')
            server.call('orestapi.application', 'write', [shop], {'group_ids': [(6, 0, shop_values['group_ids'])]})
            server.call('orestapi.application', 'write', [shop], {'scope_ids': [(4, record('scope_openid'))]})
            camera.open(f'{path.replace("scope=read", "scope=openid+read")}&prompt=login', 'input[name=password]')
            camera.shoot('login')
            server.call('orestapi.application', 'write', [shop], {'scope_ids': [(3, record('scope_openid'))]})
            camera.open('/oauth2/logout?client_id=web-shop-demo', 'button[value=log_out]')
            camera.shoot('logout')
            camera.page.click('button[value=log_out]')
            camera.page.wait_for_selector('a[href="/web/login"]')
            camera.shoot('logged_out')
            camera.open(path, 'input[name=password]')
            camera.shoot('odoo_login')
        browser.close()
    return 0


if __name__ == '__main__':
    run_command(main)
