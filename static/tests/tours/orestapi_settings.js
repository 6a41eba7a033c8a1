import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// No step depends on a text of the user interface, because the tours also run in other languages.

registry.category("web_tour.tours").add("orestapi_settings", {
    url: "/odoo/settings",
    steps: () => [
        {
            content: "open our settings",
            trigger: ".settings_tab [data-key=orestapi]",
            run: "click",
        },
        {
            content: "see by which address applications know this Odoo",
            trigger: "#orestapi_issuer input",
        },
        {
            content: "see which application could be safer, and why",
            trigger:
                '[name="orestapi_deviating_application_ids"] .o_data_row:contains("Wiki") [name="status_message"]:contains("PKCE")',
        },
        {
            content: "keep events for three months",
            trigger: '[name="orestapi_event_retention"] input',
            run: "edit 90 && press Tab",
        },
        {
            content: "save",
            trigger: ".o_form_button_save",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "see that it is saved",
            trigger: ".o_web_client:not(:has(.o_dirty_warning))",
        },
        {
            content: "open our settings again",
            trigger: ".settings_tab [data-key=orestapi]",
            run: "click",
        },
        {
            content: "go on to the applications",
            trigger: "#orestapi_applications button",
            run: "click",
        },
        {
            content: "see them",
            trigger: ".o_list_view .o_data_row",
        },
    ],
});

// The same settings for administrators of applications who do not administer Odoo.
registry.category("web_tour.tours").add("orestapi_own_settings", {
    url: "/odoo",
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            content: "open the app",
            trigger: '.o_app[data-menu-xmlid="orestapi.orestapi_menu_root"]',
            run: "click",
        },
        {
            content: "open the configuration",
            trigger: '.o_menu_sections [data-menu-xmlid="orestapi.orestapi_configuration_menu"]',
            run: "click",
        },
        {
            content: "open the settings",
            trigger: '.o-dropdown-item[data-menu-xmlid="orestapi.orestapi_settings_menu"]',
            run: "click",
        },
        {
            content: "see which application could be safer, and why",
            trigger:
                '[name="deviating_application_ids"] .o_data_row:contains("Wiki") [name="status_message"]:contains("PKCE")',
        },
        {
            content: "see no other app",
            trigger: ".settings_tab:not(:has(.tab:nth-child(2)))",
        },
        {
            content: "keep events for three months",
            trigger: '[name="event_retention"] input',
            run: "edit 90 && press Tab",
        },
        {
            content: "save",
            trigger: ".o_form_button_save",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "see that it is saved",
            trigger: '.o_web_client:not(:has(.o_dirty_warning)) [name="event_retention"] input:value(90)',
        },
    ],
});
