from markupsafe import Markup

from odoo import api, models

#: A name, apart from the direction in which the text around it is written.
NAME = Markup("<bdi>%s</bdi>")


class OrestapiApplication(models.Model):
    """What the pages outside the web client say about an application, where a sentence has a name in it.

    Here and not in the templates, which translate what stands before and after a name
    apart from each other: in other languages the words come in another order.
    """

    _inherit = 'orestapi.application'

    def _get_sentences(self):
        """Return the sentences that name the application, as HTML, by a word for each."""
        name = NAME % self.name
        return {
            'asks': self.env._("%(application)s asks to act for you in Odoo", application=name),
            'back': self.env._("Back to %(application)s", application=name),
            'disconnect': self.env._("Disconnect %(application)s", application=name),
            'disconnect_question': self.env._("Disconnect %(application)s?", application=name),
            'log_in_again': self.env._("%(application)s asks you to confirm who you are", application=name),
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
        """Return the sentence that tells users who they are logged in as, as HTML."""
        return self.env._(
            "You are %(name)s (%(login)s).",
            name=Markup("<strong>%s</strong>") % (NAME % user.name),
            login=NAME % user.login,
        )
