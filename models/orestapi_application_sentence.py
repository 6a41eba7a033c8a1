from markupsafe import Markup

from odoo import api, models

#: A name, isolated from the writing direction of the text around it.
NAME = Markup("<bdi>%s</bdi>")


class OrestapiApplication(models.Model):
    """Sentences with a name in them, for the pages outside the web client.

    They are not in the templates, because Odoo translates the text before and after a name
    separately there, and other languages have another word order.
    """

    _inherit = 'orestapi.application'

    def _get_sentences(self):
        """Return the sentences that name the application as HTML, by keyword."""
        name = NAME % self.name
        return {
            'asks': self.env._("%(application)s asks to act for you in Odoo", application=name),
            'back': self.env._("Back to %(application)s", application=name),
            'disconnect': self.env._("Disconnect %(application)s", application=name),
            'disconnect_question': self.env._("Disconnect %(application)s?", application=name),
            'log_in_again': self.env._("%(application)s asks you to confirm who you are", application=name),
            'log_out': self.env._("%(application)s asks you to log out of Odoo", application=name),
            'not_allowed': self.env._("You may not use %(application)s", application=name),
            # The title of a page is plain text.
            'title': self.env._("Allow %(application)s?", application=self.name),
        }

    def _get_sign_out_question(self, device):
        """Return the question whether to sign out of the application on a device, as HTML."""
        return self.env._(
            "Sign out of %(application)s on %(device)s?", application=NAME % self.name, device=NAME % device
        )

    @api.model
    def _get_user_sentence(self, user):
        """Return the sentence that tells users which account they are logged in with, as HTML."""
        return self.env._(
            "You are %(name)s (%(login)s).",
            name=Markup("<strong>%s</strong>") % (NAME % user.name),
            login=NAME % user.login,
        )
