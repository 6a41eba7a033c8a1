"""The sentences of events, in the language of the reader.

A new kind of event needs two edits: a value of the field `kind`, and its sentence here.
A new reason of a refusal needs one: a sentence that tells what happened, and one that
tells what to do. The placeholders are the values of `orestapi.event._get_values`.
"""

from odoo.tools.translate import LazyTranslate

# Translated when they are read, because there is no environment at import.
# pylint: disable=unknown-option-value,prefer-env-translation
_lt = LazyTranslate(__name__)

#: The sentences by kind, or by kind and reason if a kind has several.
SENTENCES = {
    'application_created': _lt("%(actor)s created %(application)s."),
    'application_activated': _lt("%(actor)s activated %(application)s."),
    'application_deactivated': _lt("%(actor)s deactivated %(application)s."),
    'application_deleted': _lt("%(actor)s deleted %(application)s."),
    'application_changed': _lt("%(actor)s changed \"%(field)s\" of %(application)s from \"%(old)s\" to \"%(new)s\"."),
    ('application_changed', 'set'): _lt("%(actor)s set \"%(field)s\" of %(application)s to \"%(new)s\"."),
    ('application_changed', 'emptied'): _lt(
        "%(actor)s emptied \"%(field)s\" of %(application)s, which was \"%(old)s\"."
    ),
    ('application_changed', 'hidden'): _lt("%(actor)s changed \"%(field)s\" of %(application)s."),
    ('application_changed', 'uri_added'): _lt("%(actor)s added the callback URI %(new)s to %(application)s."),
    ('application_changed', 'uri_removed'): _lt("%(actor)s removed the callback URI %(old)s from %(application)s."),
    ('application_changed', 'uri_changed'): _lt(
        "%(actor)s changed a callback URI of %(application)s from %(old)s to %(new)s."
    ),
    ('application_changed', 'uri_hidden'): _lt(
        "%(actor)s changed the query of the callback URI %(new)s of %(application)s."
    ),
    'client_secret_changed': _lt("%(actor)s changed the client secret of %(application)s."),
    ('client_secret_changed', 'removed'): _lt("%(actor)s removed the client secret of %(application)s."),
    'offer_changed': _lt("%(actor)s changed what %(application)s may read (model scheme: %(detail)s)."),
    'offer_widened': _lt(
        "%(actor)s let %(application)s read more (model scheme: %(detail)s); its users are asked again."
    ),
    'client_authentication_failed': _lt("%(application)s failed to authenticate from %(address)s."),
    'authorization_request_refused': _lt(
        "A request from %(address)s to authorize %(application)s was refused: %(detail)s"
    ),
    'request_refused': _lt("A request of %(application)s from %(address)s was refused: %(detail)s"),
    'signed_in': _lt("%(application)s signed %(user)s in from %(address)s: %(detail)s."),
    ('signed_in', 'service'): _lt(
        "%(application)s signed in as its service user %(user)s from %(address)s: %(detail)s."
    ),
    'consent_given': _lt("%(user)s allowed %(application)s: %(detail)s."),
    'consent_by_setting': _lt(
        "%(application)s was allowed without asking %(user)s, because it is trusted: %(detail)s."
    ),
    'consent_refused': _lt("%(user)s refused %(application)s."),
    'authorization_revoked': _lt("%(actor)s disconnected %(application)s from %(user)s."),
    'service_user_removed': _lt("%(actor)s disconnected %(application)s, which no longer acts on its own as %(user)s."),
    'sign_in_revoked': _lt("%(actor)s ended a sign-in of %(user)s at %(application)s."),
    'sign_ins_ended': _lt("The sign-ins of %(user)s at %(application)s were ended: %(ended)s."),
    'token_revoked': _lt("%(application)s signed %(user)s out from %(address)s."),
    'code_replayed': _lt(
        "An authorization code of %(application)s for %(user)s was used twice, the second time from %(address)s; "
        "the sign-in was ended."
    ),
    'refresh_token_reused': _lt(
        "A refresh token of %(application)s for %(user)s was reused from %(address)s; the sign-in was ended."
    ),
    'signing_key_withdrawn': _lt("%(actor)s withdrew the signing key %(detail)s."),
    'logout_told': _lt("Odoo told %(application)s that %(user)s has logged out."),
    'logout_not_told': _lt("Odoo could not tell %(application)s that %(user)s has logged out."),
    ('logout_not_told', 'redirect'): _lt(
        "Odoo could not tell %(application)s that %(user)s has logged out: its back-channel logout URI redirects to "
        "another address."
    ),
    ('logout_not_told', 'refused'): _lt(
        "Odoo could not tell %(application)s that %(user)s has logged out: it refused the logout token."
    ),
    ('logout_not_told', 'internal'): _lt(
        "Odoo could not tell %(application)s that %(user)s has logged out: its back-channel logout URI is in a "
        "private network. If this is intended, add its host to the internal hosts in the settings."
    ),
    ('logout_not_told', 'failed'): _lt(
        "Odoo could not tell %(application)s that %(user)s has logged out: it reported an error each time."
    ),
    ('logout_not_told', 'unreachable'): _lt(
        "Odoo could not tell %(application)s that %(user)s has logged out: nothing answered in time at its "
        "back-channel logout URI."
    ),
    ('logout_not_told', 'certificate'): _lt(
        "Odoo could not tell %(application)s that %(user)s has logged out: the certificate of its server is not valid."
    ),
}

_SAME_URI = _lt(
    "Correct the URI in the settings of the application. If the application is right, add the URI on the URIs tab."
)
_START_AGAIN = _lt("Start the sign-in again in the application. If this happens again, the application must be fixed.")
_REPAIR = _lt("The application must be fixed or set up differently. Its settings in Odoo are not the cause.")
_SIGN_IN_AGAIN = _lt("Ask the user to sign in again in the application.")

#: For each reason a sentence about what was refused, and one about what to do.
REFUSALS = {
    # The logout
    'redirect_uri_after_logout': (
        _lt(
            "%(application)s asked from %(address)s to send a user to %(sent)s after the logout, which is not one of "
            "its post-logout URIs, or came without proof that the application asked."
        ),
        _lt(
            "Compare the URI with the post-logout URIs on the Settings tab. The application should send the ID token "
            "too, as id_token_hint."
        ),
    ),
    # The client authentication
    'client_id': (
        _lt("A request from %(address)s used the client ID \"%(sent)s\", which belongs to no application."),
        _lt(
            "Compare the client ID in the settings of the application with the one on its form in Odoo. The "
            "application may have been deleted, or registered in another database."
        ),
    ),
    'application_archived': (
        _lt("%(application)s was refused from %(address)s, because it is archived."),
        _lt("Choose Unarchive in the gear menu of the application, if it should work again."),
    ),
    'credentials_swapped': (
        _lt(
            "%(application)s sent its client ID as the client secret from %(address)s, and something else as the "
            "client ID."
        ),
        _lt("Swap the client ID and the client secret in the settings of the application."),
    ),
    'cross_site': (
        _lt("A page of another website sent a wrong client secret of %(application)s; it was opened at %(address)s."),
        _lt(
            "If the page belongs to the application, enter its origin on the Settings tab. Otherwise nothing needs to "
            "be done: such requests cannot lock the application out."
        ),
    ),
    'secret_wrong': (
        _lt("%(application)s sent a wrong client secret from %(address)s."),
        _lt(
            "The client ID is correct. Generate a new client secret on the General tab, and copy it into the settings "
            "of the application."
        ),
    ),
    'secret_missing': (
        _lt("%(application)s sent no client secret from %(address)s."),
        _lt(
            "Copy the client secret into the settings of the application. If it runs on the device of the user and "
            "cannot keep a secret, make it public on the Settings tab."
        ),
    ),
    'secret_none': (
        _lt("%(application)s sent a client secret from %(address)s, but none is set in Odoo."),
        _lt("Generate a client secret on the General tab, and copy it into the settings of the application."),
    ),
    'secret_unexpected': (
        _lt("%(application)s sent a client secret from %(address)s, but it is a public application and has none."),
        _lt(
            "Empty the client secret in the settings of the application. If it runs on a server and can keep a "
            "secret, make it confidential on the Settings tab."
        ),
    ),
    'too_many_failures': (
        _lt(
            "%(application)s failed to authenticate too often from %(address)s, so all its requests from "
            "there are refused for a minute, even correct ones."
        ),
        _lt("Fix the causes in the events before this one, and try again after a minute."),
    ),
    'credentials_missing': (
        _lt("A request of %(application)s from %(address)s came without client ID and client secret."),
        _lt("Enter the client ID and the client secret in the settings of the application."),
    ),
    'header_malformed': (
        _lt("A request of %(application)s from %(address)s had an Authorization header that cannot be read."),
        _lt(
            "The application must send client ID and client secret, form-encoded, by HTTP Basic or in the body of "
            "the request."
        ),
    ),
    'header_scheme': (
        _lt("A request of %(application)s from %(address)s had an Authorization header that is not HTTP Basic."),
        _lt("Choose HTTP Basic (client_secret_basic) in the settings of the application, or client_secret_post."),
    ),
    'methods': (
        _lt(
            "A request of %(application)s from %(address)s sent the client secret twice, in the header and in the body."
        ),
        _lt("Choose one of the two in the settings of the application: client_secret_basic or client_secret_post."),
    ),
    'client_ids': (
        _lt(
            "A request of %(application)s from %(address)s had two different client IDs, in the header and in the body."
        ),
        _lt("Enter the same client ID everywhere in the settings of the application."),
    ),
    'introspection_public': (
        _lt("%(application)s asked from %(address)s about a token, but it is a public application."),
        _lt("Register the API that receives the tokens as a confidential application, with Resource Server ticked."),
    ),
    # The form of the request
    'parameters_in_query': (
        _lt("%(application)s sent its request from %(address)s in the URL instead of the body."),
        _lt(
            "The application must send a form by POST. For the connector of the older addon, tick Legacy Connector "
            "and use its URLs."
        ),
    ),
    'media_type': (
        _lt("%(application)s sent a request from %(address)s in the format \"%(sent)s\", which is not a form."),
        _lt("The application must send application/x-www-form-urlencoded."),
    ),
    'too_large': (_lt("A request of %(application)s from %(address)s was too large."), _REPAIR),
    'encoding': (_lt("A request of %(application)s from %(address)s had parameters that cannot be read."), _REPAIR),
    'parameter_missing': (
        _lt("A request of %(application)s from %(address)s lacked the parameter %(sent)s."),
        _REPAIR,
    ),
    'parameter_repeated': (
        _lt("A request of %(application)s from %(address)s had the parameter %(sent)s more than once."),
        _REPAIR,
    ),
    # The redirect URI
    'redirect_uri': (
        _lt("%(application)s asked from %(address)s to return to %(sent)s, which is not one of its callback URIs."),
        _lt(
            "If this URI belongs to the application, add exactly this on the URIs tab. Otherwise correct it in the "
            "settings of the application."
        ),
    ),
    'redirect_uri_none': (
        _lt("%(application)s asked from %(address)s to return to %(sent)s, but has no callback URI in Odoo."),
        _lt("Add the callback URI of the application on the URIs tab."),
    ),
    'redirect_uri_missing': (
        _lt("%(application)s did not say from %(address)s which of its callback URIs to return to."),
        _lt("Enter the callback URI in the settings of the application, or leave only one on the URIs tab."),
    ),
    'redirect_uri_blank': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from %(expected)s only by a "
            "space at the beginning or the end."
        ),
        _lt("Remove the space in the settings of the application."),
    ),
    'redirect_uri_case': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from %(expected)s only in "
            "upper and lower case."
        ),
        _SAME_URI,
    ),
    'redirect_uri_encoding': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from %(expected)s only in "
            "percent-encoding."
        ),
        _lt("Write the URI in the settings of the application exactly as on the URIs tab; it may be encoded twice."),
    ),
    'redirect_uri_slash': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs only by the closing slash "
            "from %(expected)s."
        ),
        _SAME_URI,
    ),
    'redirect_uri_scheme': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from %(expected)s only by "
            "the scheme (http or https)."
        ),
        _lt(
            "Make the application use https, also behind a proxy. If it can only be reached by http, add that on "
            "the URIs tab."
        ),
    ),
    'redirect_uri_port': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from %(expected)s only by "
            "the port."
        ),
        _SAME_URI,
    ),
    'redirect_uri_www': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from %(expected)s only by "
            "\"www.\"."
        ),
        _SAME_URI,
    ),
    'redirect_uri_loopback': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from %(expected)s only by "
            "the name of this computer."
        ),
        _lt("Add the URI on the URIs tab as the application sends it: localhost and 127.0.0.1 are not the same."),
    ),
    'redirect_uri_host': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from %(expected)s only by "
            "the host."
        ),
        _lt(
            "If the application has moved, add its new URI on the URIs tab. If you do not know the host, somebody "
            "may have tried, without success, to steal a code."
        ),
    ),
    'redirect_uri_path': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from %(expected)s only by "
            "the path."
        ),
        _SAME_URI,
    ),
    'redirect_uri_query': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from a callback URI only by "
            "the part after the question mark."
        ),
        _lt("The part after the question mark must be the same in the application and on the URIs tab."),
    ),
    'redirect_uri_fragment': (
        _lt(
            "%(application)s asked from %(address)s to return to %(sent)s, which differs from a callback URI only by "
            "the part after the #."
        ),
        _lt("Remove the # and everything after it in the settings of the application."),
    ),
    # The requested access
    'user_not_allowed': (
        _lt("%(user)s may not use %(application)s: they are not in any of its groups."),
        _lt(
            "If they should, add one of their groups under Who can use it on the Settings tab, or add them to a group "
            "listed there."
        ),
    ),
    'user_archived': (
        _lt("%(application)s asked from %(address)s to act for %(user)s, who is archived."),
        _lt("Unarchive the user, if they should use Odoo again."),
    ),
    'page': (
        _lt("The consent page of %(application)s was submitted from %(address)s too late, or was opened elsewhere."),
        _lt("Ask the user to start again in the application. Nothing needs to be fixed."),
    ),
    'response_type': (
        _lt("%(application)s asked from %(address)s for the response type \"%(sent)s\"; the only one is \"code\"."),
        _lt("Choose the authorization code flow in the settings of the application, not implicit or hybrid."),
    ),
    'scope_not_allowed': (
        _lt(
            "%(application)s asked from %(address)s for the scope \"%(sent)s\", but may only ask for \"%(expected)s\"."
        ),
        _lt("Allow the scope on the Settings tab, or remove it from the settings of the application."),
    ),
    'scope_none': (
        _lt("%(application)s asked from %(address)s for no scope, and none is allowed for it in Odoo."),
        _lt("Choose the scopes of the application on the Settings tab."),
    ),
    'scope_malformed': (
        _lt("%(application)s asked from %(address)s for the scope \"%(sent)s\", which is not a valid scope."),
        _lt(
            "Write the scopes in the settings of the application separated by single spaces, without quotes and commas."
        ),
    ),
    'scope_exceeds': (
        _lt(
            "%(application)s asked from %(address)s for the scope \"%(sent)s\", but the user allowed \"%(expected)s\"."
        ),
        _lt("Ask the user to sign in again in the application, which then requests more."),
    ),
    'scope_gone': (
        _lt(
            "%(application)s asked from %(address)s to keep acting for %(user)s, who allowed the scope \"%(sent)s\", "
            "but may now only request \"%(expected)s\"."
        ),
        _lt("Allow the scope on the Settings tab again, or ask the user to sign in again."),
    ),
    'pkce_missing': (
        _lt("%(application)s asked from %(address)s without PKCE (code_challenge), which it must use."),
        _lt(
            "Turn on PKCE in the settings of the application. If a confidential application does not support it, "
            "turn off Require PKCE on the Settings tab."
        ),
    ),
    'pkce_challenge_missing': (
        _lt("%(application)s asked from %(address)s with a PKCE method but without the code_challenge."),
        _REPAIR,
    ),
    'pkce_method': (
        _lt("%(application)s asked from %(address)s with the PKCE method \"%(sent)s\"; the only one is \"S256\"."),
        _lt("Choose S256 as the PKCE method in the settings of the application."),
    ),
    'pkce_challenge_malformed': (
        _lt("%(application)s asked from %(address)s with a code_challenge that does not fit the method S256."),
        _lt("The code_challenge is the SHA-256 digest of the verifier, as 43 characters of base64url without padding."),
    ),
    # Who the user is (OpenID Connect)
    'openid_parameter': (
        _lt("%(application)s asked from %(address)s with the parameter %(sent)s, which Odoo does not read."),
        _lt("Switch off signed requests (request objects) in the settings of the application."),
    ),
    'openid_value': (
        _lt("%(application)s asked from %(address)s with the value \"%(sent)s\" where Odoo takes: %(expected)s."),
        _REPAIR,
    ),
    'openid_claims': (
        _lt("%(application)s asked from %(address)s for claims in a form that cannot be read."),
        _REPAIR,
    ),
    'id_token_hint': (
        _lt("%(application)s sent from %(address)s an ID token as a hint that Odoo has not issued to it."),
        _START_AGAIN,
    ),
    'acr': (
        _lt("%(application)s asked from %(address)s for a stronger login than %(user)s can give."),
        _lt("The user sets up two-factor authentication or a passkey in their preferences."),
    ),
    'grant_type': (
        _lt("%(application)s asked from %(address)s for the grant type \"%(sent)s\", which Odoo does not support."),
        _lt(
            "Choose another one in the settings of the application: authorization_code, refresh_token or "
            "client_credentials."
        ),
    ),
    'grant_type_not_allowed': (
        _lt("%(application)s asked from %(address)s for the grant type \"%(sent)s\", which it may not use."),
        _lt("Choose another grant type in the settings of the application."),
    ),
    'service_user_missing': (
        _lt("%(application)s asked from %(address)s to act on its own, but has no service user."),
        _lt("Choose a Service User on the Settings tab, if it should act when nobody signs in."),
    ),
    'service_public': (
        _lt("%(application)s asked from %(address)s to act on its own, but it is a public application."),
        _lt("Make it confidential on the Settings tab, and choose a Service User there."),
    ),
    'service_user_archived': (
        _lt("%(application)s asked from %(address)s to act as its service user %(user)s, who is archived."),
        _lt("Unarchive the user, or choose another Service User on the Settings tab."),
    ),
    # The redemption of a code
    'code_malformed': (
        _lt("%(application)s sent something from %(address)s that is not an authorization code of Odoo."),
        _lt("The application must send the whole code, decoded once. It may have cut it off."),
    ),
    'code_unknown': (
        _lt("%(application)s sent from %(address)s an authorization code that Odoo does not know."),
        _lt("It may be old, or from another database. Start the sign-in again in the application."),
    ),
    'code_other_application': (
        _lt("%(application)s sent from %(address)s a code for %(user)s that was issued to another application."),
        _lt("Two applications may share one callback URI: compare the client IDs, and give each its own URI."),
    ),
    'code_used': (
        _lt("%(application)s sent from %(address)s an authorization code for %(user)s that was already used."),
        _lt("A code works once: the application must not send it again, even when a page is reloaded."),
    ),
    'service_user_external': (
        _lt("%(application)s was refused from %(address)s: its service user %(user)s is not an internal user."),
        _lt("Choose an internal user as the service user, on the Settings tab."),
    ),
    'code_legacy': (
        _lt(
            "%(application)s sent from %(address)s a code for %(user)s to another endpoint than the one that it was "
            "asked for at."
        ),
        _lt("The application must use either the older URLs or the standard ones, not both."),
    ),
    'redirect_uri_gone': (
        _lt(
            "%(application)s sent from %(address)s a code for %(user)s, but the callback URI %(sent)s is no longer "
            "registered."
        ),
        _lt("If the application may use this URI, add it again on the URIs tab."),
    ),
    'code_expired': (
        _lt("%(application)s sent from %(address)s an authorization code for %(user)s that has expired."),
        _lt(
            "Start again. If this happens again, compare the clocks, or raise the Authorization Code Expiry on the "
            "Settings tab."
        ),
    ),
    'code_revoked': (
        _lt(
            "%(application)s sent from %(address)s an authorization code for %(user)s, whose sign-ins were all ended "
            "meanwhile."
        ),
        _SIGN_IN_AGAIN,
    ),
    'redirect_uri_left_out': (
        _lt(
            "%(application)s redeemed a code for %(user)s from %(address)s without the redirect_uri %(expected)s that "
            "it began with."
        ),
        _lt("The application must send the same redirect_uri with the code as at the beginning."),
    ),
    'redirect_uri_changed': (
        _lt(
            "%(application)s redeemed a code for %(user)s from %(address)s with the redirect_uri %(sent)s, but began "
            "with %(expected)s."
        ),
        _lt("The application must use the same callback URI everywhere in its settings."),
    ),
    'verifier_missing': (
        _lt("%(application)s redeemed a code for %(user)s from %(address)s without the PKCE code_verifier."),
        _START_AGAIN,
    ),
    'verifier_malformed': (
        _lt("%(application)s redeemed a code for %(user)s from %(address)s with a malformed PKCE code_verifier."),
        _lt("A code_verifier has 43 to 128 characters: letters, digits and - . _ ~."),
    ),
    'verifier_wrong': (
        _lt("%(application)s redeemed a code for %(user)s from %(address)s with a wrong PKCE code_verifier."),
        _lt(
            "Start the sign-in again, in one window only. If this happens again, the application mixes up its sign-ins "
            "or computes the code_challenge wrongly."
        ),
    ),
    'verifier_unexpected': (
        _lt(
            "%(application)s redeemed a code for %(user)s from %(address)s with a code_verifier, but began without a "
            "code_challenge."
        ),
        _lt("The application must use PKCE from the beginning of the sign-in, or not at all."),
    ),
    'verifier_limit': (
        _lt("%(application)s redeemed a code for %(user)s from %(address)s with too many wrong PKCE code_verifiers."),
        _START_AGAIN,
    ),
    # The refresh
    'refresh_token_malformed': (
        _lt("%(application)s sent something from %(address)s that is not a refresh token of Odoo."),
        _lt("The application must store the whole refresh token. Ask the user to sign in again."),
    ),
    'refresh_token_unknown': (
        _lt("%(application)s sent from %(address)s a refresh token that this database has not issued."),
        _lt("It may be from another database, or from one that was restored or copied. Ask the user to sign in again."),
    ),
    'refresh_token_gone': (
        _lt("%(application)s sent from %(address)s a refresh token of a sign-in that has ended and was deleted."),
        _SIGN_IN_AGAIN,
    ),
    'refresh_token_other_application': (
        _lt(
            "%(application)s sent from %(address)s a refresh token for %(user)s that was issued to another application."
        ),
        _lt("Compare the client IDs in the settings of both applications, and let each keep its own tokens."),
    ),
    'refresh_token_expired': (
        _lt("%(application)s sent from %(address)s a refresh token for %(user)s that has expired."),
        _lt("Ask the user to sign in again. Refresh Token Expiry and Sign In Expiry (Settings tab) decide how often."),
    ),
    'refresh_token_revoked': (
        _lt("%(application)s sent from %(address)s a refresh token for %(user)s, whose sign-in was ended."),
        _lt("Ask the user to sign in again. The list Sign-ins, filter Ended, shows why it was ended."),
    ),
    'refresh_token_used': (
        _lt("%(application)s sent from %(address)s a refresh token for %(user)s that was already used."),
        _lt(
            "The application must keep the newest refresh token, and refresh only once at a time. If responses get "
            "lost, set a Refresh Token Grace on the Settings tab."
        ),
    ),
}
