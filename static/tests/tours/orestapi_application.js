import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// No step depends on a text of the user interface, because the tours also run in other languages.

let copied;

/** Record what is copied, because an automated browser gives no access to the clipboard. */
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

function createApplication() {
    return [
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
    ];
}

function openTab(name) {
    return {
        content: `open the tab ${name}`,
        trigger: `.o_notebook_headers a[name="${name}"]`,
        run: "click",
    };
}

/** Write the copied secret where the test can read and check it. */
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

/** Copy the secret from its dialog, and close the dialog. */
function takeSecret() {
    return [
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
    ];
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
        ...createApplication(),
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
        {
            content: "save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        ...takeSecret(),
        {
            content: "see that the application is ready",
            trigger: ".alert-success",
        },
        openTab("general"),
        {
            content: "see that the secret is set, and that nobody can type over the client id",
            trigger:
                'body:not(:has(div[name="client_secret"])):not(:has(div[name="client_id"] input)) div[name="client_secret_date"]',
        },
        writeCopied(),
        ...save(),
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

registry.category("web_tour.tours").add("orestapi_application_leave", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        ...createApplication(),
        {
            content: "go back to the list without saving",
            trigger: ".o_breadcrumb .o_back_button",
            run: "click",
        },
        ...takeSecret(),
        {
            content: "see the list only then",
            trigger: '.o_data_row td[name="name"]:contains("Library")',
            run: "click",
        },
        openTab("general"),
        writeCopied(),
        ...save(),
    ],
});

/** Open the gear menu, and choose the item with an icon. */
function chooseAction(icon) {
    return [
        {
            content: "open the actions",
            trigger: ".o_cp_action_menus .dropdown-toggle:last",
            run: "click",
        },
        {
            content: `choose ${icon}`,
            trigger: `.o-dropdown-item:has(.${icon})`,
            run: "click",
        },
    ];
}

/** Check how many people lose access, and answer. */
function seeLoss(button) {
    return {
        content: "see how many people lose access, and answer",
        trigger: `.modal:has(.modal-body:contains(/: 1\\.[^]*: 2\\./)) .modal-footer button.${button}`,
        run: "click",
    };
}

registry.category("web_tour.tours").add("orestapi_application_loss", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        {
            content: "choose the wiki in the list",
            trigger: '.o_data_row:has(td[name="name"]:contains(/^Wiki$/)) .o_list_record_selector input',
            run: "click",
        },
        ...chooseAction("oi-archive"),
        seeLoss("btn-secondary"),
        ...chooseAction("fa-trash-o"),
        seeLoss("btn-secondary"),
        {
            content: "choose the wiki no longer: a click on a line opens it only when none is chosen",
            trigger: '.o_data_row:has(td[name="name"]:contains(/^Wiki$/)) .o_list_record_selector input:checked',
            run: "click",
        },
        {
            content: "open the wiki",
            trigger: '.o_data_row td[name="name"]:contains(/^Wiki$/)',
            run: "click",
        },
        {
            content: "wait for the form",
            trigger: ".o_form_view .o_notebook",
        },
        ...chooseAction("fa-trash-o"),
        seeLoss("btn-secondary"),
        ...chooseAction("oi-archive"),
        seeLoss("btn-primary"),
        {
            content: "see that it is archived",
            trigger: ".o_form_view .alert-info",
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
            trigger: 'button[name="action_ask_generate_client_secret"]',
            run: "click",
        },
        {
            content: "not for longer than possible",
            trigger: ".modal #orestapi_ask_input",
            run: "edit 91",
        },
        {
            content: "see that this cannot be",
            trigger: ".modal .modal-footer button.btn-primary:disabled",
        },
        {
            content: "let the current one work on for three days",
            trigger: ".modal #orestapi_ask_input",
            run: "edit 3",
        },
        {
            content: "go on",
            trigger: ".modal .modal-footer button.btn-primary:enabled",
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
        ...takeSecret(),
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
