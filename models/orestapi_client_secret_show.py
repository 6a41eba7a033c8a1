from odoo import fields, models


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
