from odoo import api, fields, models
from odoo.exceptions import AccessError


class OrestapiClientSecretShow(models.AbstractModel):
    """The dialog that shows a new client secret, once.

    The model is abstract, so that the secret is never stored: it gets from the button to the
    dialog in the context of the action, like Odoo's own API keys.
    """

    _name = 'orestapi.client.secret.show'
    _description = "New Client Secret"

    # The web client needs the field 'id' to ask for the default values.
    id = fields.Id()
    client_id = fields.Char("Client ID", readonly=True, help="The name of the application in the protocol.")
    client_secret = fields.Char(
        "Client Secret", readonly=True, help="The password of the application. It is shown only once."
    )

    # Core expects a table without checking whether the model is abstract.

    @api.model
    def _search(self, *args, **kwargs):
        raise AccessError(self.env._("The dialog with a new client secret cannot be stored."))

    @api.model_create_multi
    def create(self, vals_list):
        raise AccessError(self.env._("The dialog with a new client secret cannot be stored."))
