import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// No step goes by a text of the user interface: the tours run in other languages as well.

let copied;

/** Keep what is copied: a browser without a person gives no access to the clipboard. */
function catchClipboard() {
    return {
        content: "catch what is copied",
        trigger: "body",
        run() {
            copied = undefined;
            navigator.clipboard.writeText = async (text) => {
                copied = text;
            };
        },
    };
}

function openApp() {
    return [
        stepUtils.showAppsMenuItem(),
        {
            content: "open the app",
            trigger: '.o_app[data-menu-xmlid="orestapi.orestapi_menu_root"]',
            run: "click",
        },
        {
            content: "see the applications first",
            trigger: ".o_list_view .o_data_row",
        },
    ];
}

function openTab(name) {
    return {
        content: `open the tab ${name}`,
        trigger: `.o_notebook_headers a[name="${name}"]`,
        run: "click",
    };
}

/** Write the copied secret where the test can read it, to show that it is the right one. */
function writeCopied() {
    return {
        content: "write down what was copied",
        trigger: 'div[name="description"] textarea',
        async run({ edit }) {
            if (!/^orestapi_cs_/.test(copied)) {
                throw new Error(`Copied was: ${copied}`);
            }
            await edit(copied);
        },
    };
}

function save() {
    return [
        {
            content: "save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "wait until it is saved",
            trigger: ".o_form_saved",
        },
    ];
}

registry.category("web_tour.tours").add("orestapi_application_create", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        {
            content: "create an application",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "name it",
            trigger: 'div[name="name"] input',
            run: "edit Library",
        },
        catchClipboard(),
        {
            content: "copy the secret, which is shown only now",
            trigger: 'div[name="client_secret"] button.o_clipboard_button',
            run: "click",
        },
        writeCopied(),
        openTab("uris"),
        {
            content: "add a callback URI",
            trigger: 'div[name="uri_ids"] .o_field_x2many_list_row_add a',
            run: "click",
        },
        {
            content: "enter it",
            trigger: 'div[name="uri_ids"] .o_data_row div[name="uri"] input',
            run: "edit https://library.example.com/callback",
        },
        ...save(),
        {
            content: "see that the application is ready",
            trigger: ".alert-success",
        },
        openTab("general"),
        {
            content: "see that the secret is gone",
            trigger: 'body:not(:has(div[name="client_secret"])) div[name="client_secret_date"]',
        },
        {
            content: "go back to the list",
            trigger: ".o_breadcrumb .o_back_button",
            run: "click",
        },
        {
            content: "find the application in the list, with one URI",
            trigger: '.o_data_row:has(td[name="name"]:contains("Library")) td[name="uri_count"]:contains(/^1$/)',
        },
    ],
});

registry.category("web_tour.tours").add("orestapi_application_rotate", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        {
            content: "open the wiki",
            trigger: '.o_data_row td[name="name"]:contains(/^Wiki$/)',
            run: "click",
        },
        {
            content: "ask for a new secret",
            trigger: 'button[name="action_generate_client_secret"]:not(.o_invisible_modifier):first',
            run: "click",
        },
        {
            content: "accept that the current one stops working",
            trigger: ".modal .modal-footer button.btn-primary",
            run: "click",
        },
        {
            content: "show who you are",
            trigger: '.modal div[name="password"] input',
            run: "edit a password of at least 8",
        },
        {
            content: "confirm the password",
            trigger: '.modal button[name="run_check"]',
            run: "click",
        },
        catchClipboard(),
        {
            content: "copy the new secret",
            trigger: '.modal div[name="client_secret"] button.o_clipboard_button',
            run: "click",
        },
        {
            content: "close the dialog",
            trigger: ".modal .modal-footer button.btn-primary",
            run: "click",
        },
        {
            content: "wait until it is closed",
            trigger: "body:not(:has(.modal))",
        },
        writeCopied(),
        ...save(),
    ],
});

registry.category("web_tour.tours").add("orestapi_application_lifetime", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        {
            content: "open the wiki",
            trigger: '.o_data_row td[name="name"]:contains(/^Wiki$/)',
            run: "click",
        },
        openTab("settings"),
        {
            content: "see in words that refresh tokens never expire",
            trigger: 'div[name="refresh_token_expiry"] .o_orestapi_words:contains(/= \\w+/)',
        },
        {
            content: "let them expire after ten days and a half",
            trigger: 'div[name="refresh_token_expiry"] input',
            run: "edit 907200 && press Tab",
        },
        {
            content: "see that in words",
            trigger: 'div[name="refresh_token_expiry"] .o_orestapi_words:contains(/10\\D+12\\D+/)',
        },
        ...save(),
    ],
});
