"""What can be wrong with a key or a token. No message repeats what came in."""


class JoseError(ValueError):
    """Base of all errors of this package.

    :param str description: one sentence for a developer, in the characters of RFC 6749 §5.2
    """

    def __init__(self, description):
        super().__init__(description)
        self.description = description


class InvalidEncoding(JoseError):
    """Text that is not base64url (RFC 7515 §2), or not a JSON object that everybody reads alike."""


class InvalidKey(JoseError):
    """A key that is malformed, too weak, private where it must be public, or of an unknown kind (RFC 7517)."""


class InvalidJws(JoseError):
    """A token whose form, header or signature is not acceptable (RFC 7515 §5.2)."""
