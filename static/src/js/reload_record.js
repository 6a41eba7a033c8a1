import { registry } from "@web/core/registry";

/**
 * Show again what the button that was pressed stands in. Without it, Odoo closes the dialog that the button is in, and
 * who disconnects one application in the preferences could not go on with the next.
 */
registry.category("actions").add("orestapi_reload_record", async (env, action, options) => {
    await options.onClose?.();
});
