import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

function openMenu(xmlid) {
    return [
        stepUtils.showAppsMenuItem(),
        {
            content: "open the app",
            trigger: '.o_app[data-menu-xmlid="orestapi.orestapi_menu_root"]',
            run: "click",
        },
        {
            content: "open the menu Access",
            trigger: '.o_menu_sections [data-menu-xmlid="orestapi.orestapi_access_menu"]',
            run: "click",
        },
        {
            content: `open the menu ${xmlid}`,
            trigger: `.o-dropdown-item[data-menu-xmlid="${xmlid}"]`,
            run: "click",
        },
    ];
}

function confirm() {
    return {
        content: "confirm",
        trigger: ".o_dialog:not(:has(.o_form_view)) .modal-footer button.btn-primary",
        run: "click",
    };
}

registry.category("web_tour.tours").add("orestapi_sign_in_revoke", {
    url: "/odoo",
    steps: () => [
        ...openMenu("orestapi.orestapi_token_menu"),
        {
            content: "end the sign-in of Mitchell",
            trigger: '.o_data_row:has(td[name="user_id"]:contains(/^Mitchell$/)) button[name="action_revoke"]',
            run: "click",
        },
        confirm(),
        {
            content: "see that it has ended",
            trigger: '.o_data_row.text-muted td[name="user_id"]:contains(/^Mitchell$/)',
        },
    ],
});

/** Select Mitchell's line and the action *Revoke Tokens*, which works for one line and for many. */
function revokeTokens() {
    return [
        {
            content: "choose the line of Mitchell",
            trigger: '.o_data_row:has(td[name="user_id"]:contains(/^Mitchell$/)) .o_list_record_selector input',
            run: "click",
        },
        {
            content: "open the actions",
            trigger: ".o_cp_action_menus .dropdown-toggle:last",
            run: "click",
        },
        {
            content: "revoke the tokens: the only step that goes by a name, in the languages of the tests",
            trigger: ".o-dropdown-item:contains(/^(Revoke Tokens|Tokenek visszavonása)$/)",
            run: "click",
        },
        {
            content: "see how many people that concerns, and go on",
            trigger: ".modal:has(.modal-body:contains(/: 1\\./)) .modal-footer button.btn-primary",
            run: "click",
        },
        {
            content: "see the message afterwards",
            trigger: ".o_notification:contains(/: 1\\./)",
        },
    ];
}

registry.category("web_tour.tours").add("orestapi_authorization_revoke", {
    url: "/odoo",
    steps: () => [
        ...openMenu("orestapi.orestapi_authorization_menu"),
        ...revokeTokens(),
        {
            content: "see that the authorization is gone",
            trigger: '.o_list_view:not(:has(td[name="user_id"]:contains(/^Mitchell$/)))',
        },
    ],
});

registry.category("web_tour.tours").add("orestapi_sign_ins_revoke", {
    url: "/odoo",
    steps: () => [
        ...openMenu("orestapi.orestapi_token_menu"),
        ...revokeTokens(),
        {
            content: "see that it has ended",
            trigger: '.o_data_row.text-muted td[name="user_id"]:contains(/^Mitchell$/)',
        },
    ],
});

function openConnectedApplications() {
    return [
        {
            content: "open the menu of the user",
            trigger: ".o_user_menu .dropdown-toggle",
            run: "click",
        },
        {
            content: "open the preferences",
            trigger: "[data-menu=preferences]",
            run: "click",
        },
        {
            content: "open the connected applications",
            trigger: '.o_notebook_headers a[name="page_orestapi"]',
            run: "click",
        },
    ];
}

/** Odoo shows a placeholder instead of a picture that it may not send. */
function checkLogos() {
    return {
        content: "see the logo of the application, and no placeholder",
        trigger: '.o_orestapi_authorizations .o_kanban_record img:not([src*="placeholder"])',
        async run() {
            for (const image of document.querySelectorAll(".o_orestapi_authorizations img")) {
                const response = await fetch(image.src);
                if (!/svg/.test(response.headers.get("Content-Type"))) {
                    throw new Error(`No initial of the application, but ${response.headers.get("Content-Type")}`);
                }
            }
        },
    };
}

registry.category("web_tour.tours").add("orestapi_disconnect", {
    url: "/odoo",
    steps: () => [
        ...openConnectedApplications(),
        checkLogos(),
        {
            content: "see what the application is and where it is used",
            trigger: '.o_orestapi_authorizations .o_kanban_record:contains("Wiki"):has(img)',
        },
        {
            content: "disconnect it",
            trigger: '.o_orestapi_authorizations button[name="action_disconnect"]',
            run: "click",
        },
        confirm(),
        {
            content: "see that no application is connected",
            trigger: ".o_form_view:not(:has(.o_orestapi_authorizations))",
        },
    ],
});

registry.category("web_tour.tours").add("orestapi_sign_out", {
    url: "/odoo",
    steps: () => [
        ...openConnectedApplications(),
        {
            content: "see the device, and sign out there",
            trigger: '.o_orestapi_sign_ins .o_kanban_record:contains("Wiki"):contains("127.0.0.1") button[name="action_sign_out"]',
            run: "click",
        },
        confirm(),
        {
            content: "see that the other device is still there, and both applications",
            trigger:
                '.o_form_view:has(.o_orestapi_authorizations .o_kanban_record:contains("Wiki")) .o_orestapi_sign_ins:not(:has(.o_kanban_record:contains("Wiki"))) .o_kanban_record:contains("Shop")',
        },
    ],
});
