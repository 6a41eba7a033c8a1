import { registry } from "@web/core/registry";

/**
 * Reload the view that contains the pressed button. Otherwise Odoo would close the dialog that contains the button, and
 * users could not disconnect several applications in the preferences one after the other.
 */
registry.category("actions").add("orestapi_reload_record", async (env, action, options) => {
    await options.onClose?.();
});
