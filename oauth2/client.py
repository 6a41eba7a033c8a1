"""The settings of an application that the protocol needs."""

import dataclasses

CONFIDENTIAL = 'confidential'
PUBLIC = 'public'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Client:
    """An application as RFC 6749 §2 sees it.

    :ivar int id: the database row of the application
    :ivar str client_id:
    :ivar str client_type: `confidential` or `public` (RFC 6749 §2.1)
    :ivar bool active: whether it may act at all
    :ivar tuple redirect_uris: exactly as the administrator registered them
    :ivar frozenset scope: the scope tokens that the application may request
    :ivar frozenset default_scope: the scope it gets when it requests none
    :ivar frozenset grant_types: the grants it may use at the token endpoint
    :ivar bool require_pkce: whether an authorization request needs PKCE
    :ivar bool legacy_connector: whether the older endpoints accept the habits of the older connector,
        see `oauth2.legacy`
    :ivar bool at_legacy_address: whether the request came to an older endpoint and gets its exceptions
    :ivar bool native_application: whether it runs on the user's device although it has a secret (RFC 8252)
    :ivar bool resource_server: whether it may introspect the tokens of other applications (RFC 7662 §2.1)
    :ivar tuple allowed_origins: the web origins that may call it from a page (CORS)
    :ivar int authorization_code_expiry: seconds
    :ivar int access_token_expiry: seconds
    :ivar int refresh_token_expiry: seconds without a refresh, 0 for no limit
    :ivar int refresh_token_grace: seconds during which a lost response to a refresh can be repeated
    :ivar int sign_in_expiry: seconds from the redemption of the code, 0 for no limit
    :ivar bool nonce_replaces_pkce: whether it may go without PKCE in an authentication request with a nonce
    :ivar str id_token_signed_response_alg: how its ID tokens are signed
    :ivar int id_token_expiry: seconds
    :ivar bool pairwise_subject: whether it has identifiers of users of its own (OpenID Connect Core §8)
    :ivar bool claims_in_id_token: whether its ID tokens repeat what UserInfo tells
    :ivar bool addresses_verified: whether the addresses of users may be called verified
    :ivar tuple group_claims: what the claim `groups` tells: pairs of the id of a group, and its name there
    :ivar tuple defined_claims: the claims of its own that it is told, each an `openid.claims.DefinedClaim`
    :ivar tuple post_logout_redirect_uris: where the browser may go after a logout that it asked for
    :ivar backchannel_logout_uri: where it is told of the logout of a user, or None
    :ivar frozenset group_ids: the groups whose members may authorize it
    :ivar service_user_id: the user it acts as when nobody signs in, or None
    :ivar model_scheme_id: the scheme that limits what it may read, or None
    """

    id: int
    client_id: str
    client_type: str
    active: bool = False
    redirect_uris: tuple = ()
    scope: frozenset = frozenset()
    default_scope: frozenset = frozenset()
    grant_types: frozenset = frozenset()
    require_pkce: bool = True
    legacy_connector: bool = False
    at_legacy_address: bool = False
    native_application: bool = False
    resource_server: bool = False
    allowed_origins: tuple = ()
    authorization_code_expiry: int = 600
    access_token_expiry: int = 3600
    refresh_token_expiry: int = 0
    refresh_token_grace: int = 0
    sign_in_expiry: int = 0
    nonce_replaces_pkce: bool = False
    id_token_signed_response_alg: str = 'RS256'
    id_token_expiry: int = 3600
    pairwise_subject: bool = False
    claims_in_id_token: bool = False
    addresses_verified: bool = False
    group_claims: tuple = ()
    defined_claims: tuple = ()
    post_logout_redirect_uris: tuple = ()
    backchannel_logout_uri: str | None = None
    group_ids: frozenset = frozenset()
    service_user_id: int | None = None
    model_scheme_id: int | None = None

    @property
    def is_public(self):
        """Whether the application cannot keep a secret (RFC 6749 §2.1)."""
        return self.client_type == PUBLIC

    @property
    def is_native(self):
        """Whether it may run on the user's device and listen on a port assigned there (RFC 8252 §7.3)."""
        return self.is_public or self.native_application

    @property
    def must_use_pkce(self):
        """RFC 9700 §2.1.1: public clients must, others should. At the older endpoints, no connector can."""
        return self.is_public or (self.require_pkce and not self.at_legacy_address)

    def may_omit_pkce(self, nonce):
        """Return whether a request may go without PKCE.

        RFC 9700 §2.1.1: a confidential client may rely on the nonce of OpenID Connect
        instead, which its ID token repeats.

        :param nonce: that of an authentication request, or None
        """
        return not self.must_use_pkce or (self.nonce_replaces_pkce and not self.is_public and bool(nonce))
