import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { registry } from "@web/core/registry";

/** A question from the server, which alone can count how many people the answer concerns. */
export class AskDialog extends Component {
    static template = "orestapi.AskDialog";
    static components = { Dialog };
    static props = {
        close: Function,
        answer: Function,
        title: String,
        body: String,
        confirm_label: String,
        cancel_label: String,
        // An optional whole number to enter: its key in the context of the call, label, value and bounds.
        input: { type: Object, optional: true },
    };

    setup() {
        this.state = useState({ value: this.props.input?.value });
    }

    get isValid() {
        const { input } = this.props;
        const { value } = this.state;
        return !input || (Number.isInteger(value) && value >= input.min && value <= input.max);
    }

    confirm() {
        const { input } = this.props;
        this.props.answer(input ? { [input.name]: this.state.value } : {});
        this.props.close();
    }
}

/**
 * Ask, then call a method of records. The method returns the next action.
 */
registry.category("actions").add("orestapi_ask", async (env, { params }) => {
    const { model, method, ids, ...question } = params;
    const context = await new Promise((resolve) => {
        // Closing the dialog in any other way resolves to undefined.
        env.services.dialog.add(AskDialog, { ...question, answer: resolve }, { onClose: () => resolve() });
    });
    return context && env.services.orm.call(model, method, [ids], { context });
});
