"""What the protocol needs to know of an application."""

import dataclasses

CONFIDENTIAL = 'confidential'
PUBLIC = 'public'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Client:
    """An application as RFC 6749 §2 sees it.

    :ivar str client_id:
    :ivar str client_type: `confidential` or `public` (RFC 6749 §2.1)
    :ivar tuple redirect_uris: what the administrator registered, to the letter
    :ivar frozenset scope: the scope tokens that the application may ask for
    :ivar frozenset default_scope: what it gets when it asks for nothing
    :ivar frozenset grant_types: what it may use at the token endpoint
    :ivar bool require_pkce: whether an authorization request needs PKCE
    """
    client_id: str
    client_type: str
    redirect_uris: tuple = ()
    scope: frozenset = frozenset()
    default_scope: frozenset = frozenset()
    grant_types: frozenset = frozenset()
    require_pkce: bool = True

    @property
    def is_public(self):
        """Whether the application cannot keep a secret (RFC 6749 §2.1)."""
        return self.client_type == PUBLIC

    @property
    def must_use_pkce(self):
        """RFC 9700 §2.1.1: public clients must, others should."""
        return self.is_public or self.require_pkce
