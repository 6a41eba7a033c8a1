"""JSON Object Signing and Encryption, as far as this addon uses it: signatures, compact form only.

Written on `cryptography`, which Odoo brings, because nothing may have to be
installed by pip; the tests compare it with three well-kept libraries. It knows
neither Odoo nor OAuth. What decides how a signature is checked is always the
key and never the token (RFC 8725 §3.1): a header may only choose among the
keys that the caller names, and among the algorithms of the chosen key.
"""
