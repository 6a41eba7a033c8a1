from urllib.parse import urlsplit

from markupsafe import Markup

from odoo import api, models

from ..dispatchers.hooks import attempt
from ..oauth2 import legacy, metadata, parameters
from ..oauth2.errors import OAuth2Error

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
            'log_in': self.env._("Log in to continue to %(application)s", application=name),
            'log_in_again': self.env._("%(application)s asks you to confirm who you are", application=name),
            'log_out': self.env._("%(application)s asks you to log out of Odoo", application=name),
            'not_allowed': self.env._("You may not use %(application)s", application=name),
            # The title of a page is plain text.
            'title': self.env._("Allow %(application)s?", application=self.name),
        }

    @api.model
    def _get_login_sentence(self, redirect):
        """Return the sentence for Odoo's login page that names the application the user goes on to, or None.

        The page belongs to Odoo, so it must open even if this fails.

        :param redirect: the address to which the login page leads, as it came, or None
        """
        return attempt(self._find_login_sentence, redirect)

    @api.model
    def _find_login_sentence(self, redirect):
        try:
            parts = urlsplit(str(redirect or ''))
            if parts.netloc or parts.path not in (metadata.AUTHORIZATION_ENDPOINT, legacy.AUTHORIZATION_ENDPOINT):
                return None
            client_id = parameters.parse(parts.query.encode('ascii')).get('client_id')
        except (OAuth2Error, ValueError):
            # The authorization endpoint says what is wrong.
            return None
        client = client_id and self._find_client(client_id)
        # sudo: orestapi.application - the name, for a person who has not logged in yet
        return self.sudo().browse(client.id)._get_sentences()['log_in'] if client else None

    def _get_sign_out_question(self, device):
        """Return the question whether to sign out of the application on a device, as HTML."""
        return self.env._(
            "Sign out of %(application)s on %(device)s?", application=NAME % self.name, device=NAME % device
        )

    @api.model
    def _get_told_sentence(self, labels):
        """Return the sentence that names what else an application sees, or None if there is nothing.

        :param list labels: the names of the values
        """
        return self.env._("This includes: %s", ', '.join(labels)) if labels else None

    @api.model
    def _get_user_sentence(self, user):
        """Return the sentence that tells users which account they are logged in with, as HTML."""
        return self.env._(
            "You are %(name)s (%(login)s).",
            name=Markup("<strong>%s</strong>") % (NAME % user.name),
            login=NAME % user.login,
        )
