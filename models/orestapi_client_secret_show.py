from odoo import api, fields, models
from odoo.exceptions import AccessError


class OrestapiClientSecretShow(models.AbstractModel):
    """The dialog that shows a new client secret, once.

    Abstract, so that the secret is in no table: it travels from the button to
    the dialog in the context of the action, as Odoo's own API keys do.
    """

    _name = 'orestapi.client.secret.show'
    _description = "New Client Secret"

    # The web client needs the field 'id' to ask for the default values.
    id = fields.Id()
    client_id = fields.Char("Client ID", readonly=True, help="The name of the application in the protocol.")
    client_secret = fields.Char(
        "Client Secret", readonly=True, help="The password of the application. It is shown only now."
    )

    # There is no table, and core asks for one without a look at what the model is.

    @api.model
    def _search(self, *args, **kwargs):
        raise AccessError(self.env._("The dialog with a new client secret is stored nowhere."))

    @api.model_create_multi
    def create(self, vals_list):
        raise AccessError(self.env._("The dialog with a new client secret is stored nowhere."))
