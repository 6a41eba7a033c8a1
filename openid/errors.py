"""The errors that OpenID Connect adds to those of OAuth 2.0 (Core §3.1.2.6, §6; RFC 9470 §4)."""

from ..oauth2.errors import OAuth2Error


class LoginRequired(OAuth2Error):
    """The user must log in, and the request allows no page (or names somebody else)."""

    error = 'login_required'


class ConsentRequired(OAuth2Error):
    """The user must be asked, and the request allows no page."""

    error = 'consent_required'


class RequestNotSupported(OAuth2Error):
    """The parameter `request`: signed requests are not read."""

    error = 'request_not_supported'


class RequestUriNotSupported(OAuth2Error):
    """The parameter `request_uri`: no address of a stranger is fetched."""

    error = 'request_uri_not_supported'


class RegistrationNotSupported(OAuth2Error):
    """The parameter `registration`."""

    error = 'registration_not_supported'


class UnmetAuthenticationRequirements(OAuth2Error):
    """The user cannot log in as strongly as the application demands."""

    error = 'unmet_authentication_requirements'
