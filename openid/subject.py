"""Subject identifiers (Core §8): who a user is for an application, and never who they are here."""

import hashlib
import hmac

from ..jose import encoding

PUBLIC, PAIRWISE = 'public', 'pairwise'
TYPES = (PUBLIC, PAIRWISE)


def compute_pairwise(key, sector, subject):
    """Return the identifier of a user for one sector (Core §8.1).

    Two sectors cannot find out that they have the same user: without the key, the one
    cannot be computed from the other.

    :param bytes key: known to this server only
    :param str sector: what the applications that shall see one identifier have in common
    :param str subject: the public identifier of the user
    """
    # A separator that neither part has, so that no two pairs make one message.
    message = f'{sector}\0{subject}'.encode()
    return encoding.encode(hmac.digest(key, message, hashlib.sha256))
