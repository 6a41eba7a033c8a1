import { registry } from "@web/core/registry";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";

/** Tell how many people lose access before an application is archived or deleted. */
const withLoss = (Controller) =>
    class extends Controller {
        loss = {};

        getStaticActionMenuItems() {
            const items = super.getStaticActionMenuItems();
            for (const name of ["archive", "delete"]) {
                const { callback } = items[name];
                items[name].callback = async () => {
                    this.loss = await this.model.orm.call("orestapi.application", "get_loss", [
                        await this.getChosenIds(),
                    ]);
                    return callback();
                };
            }
            return items;
        }

        async getChosenIds() {
            return this.model.root.getResIds(true);
        }

        get archiveDialogProps() {
            return { ...super.archiveDialogProps, body: this.loss.archive };
        }

        get deleteConfirmationDialogProps() {
            return { ...super.deleteConfirmationDialogProps, body: this.loss.delete };
        }
    };

export class ApplicationFormController extends withLoss(FormController) {
    async getChosenIds() {
        return [this.model.root.resId];
    }

    async onWillSaveRecord(record) {
        this.isFirstSave = record.isNew;
        return super.onWillSaveRecord(...arguments);
    }

    /**
     * Show the client secret of an application that was just created. Anything after the save, such as leaving the
     * page, waits until the dialog is closed, so that no secret is lost.
     */
    async onRecordSaved(record) {
        await super.onRecordSaved(...arguments);
        if (!this.isFirstSave) {
            return;
        }
        this.isFirstSave = false;
        const action = await this.orm.call("orestapi.application", "action_show_first_client_secret", [[record.resId]]);
        if (action) {
            await new Promise((resolve) => this.env.services.action.doAction(action, { onClose: resolve }));
            // The record was read before it had a secret. Not awaited, because loading waits for the end of this save.
            record.load();
        }
    }
}

registry.category("views").add("orestapi_application_form", { ...formView, Controller: ApplicationFormController });
registry.category("views").add("orestapi_application_list", { ...listView, Controller: withLoss(ListController) });
registry.category("views").add("orestapi_application_kanban", { ...kanbanView, Controller: withLoss(KanbanController) });
