import contextlib
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, config
from odoo.tools.lru import LRU

from ..jose import keys
from ..jose.errors import InvalidKey
from ..openid.discovery import SIGNING_ALGORITHMS
from .orestapi_application import ADMINISTRATOR

_logger = logging.getLogger(__name__)

#: How long a key signs before its successor does.
LIFETIME = timedelta(days=90)
#: How long a key is published before it signs, so that no application meets a token with an
#: unknown key: longer than anybody keeps a key set.
ANNOUNCEMENT = timedelta(hours=24)
#: How long it stays published after it stopped signing: the longest life of a token, and as
#: long again for clocks and caches.
AFTERLIFE = timedelta(hours=48)

#: How long the row of a key that is out of use is kept, so that an old token can be explained.
KEPT = timedelta(days=365)

#: Number of the advisory lock under which keys are made, so that one of many workers makes one.
LOCK = 0x6F726573

#: Private keys that this process has read, by database and row.
_private_keys = LRU(64)


class OrestapiSigningKey(models.Model):
    """A key that this server signs with (RFC 7517): ID tokens, logout tokens.

    The private part is in a column that is no field, so that no method of the ORM, no
    export and no log of its values can reach it. Keys are made when they are needed.
    """

    _name = 'orestapi.signing.key'
    _description = "Signing Key"
    _rec_name = 'kid'
    _order = 'id desc'

    algorithm = fields.Selection(
        [(algorithm, algorithm) for algorithm in SIGNING_ALGORITHMS],
        required=True,
        readonly=True,
        help="How the key signs.",
    )
    kid = fields.Char("Key ID", required=True, readonly=True, help="The name of the key in tokens and in the key set.")
    public_jwk = fields.Json(
        "Public Key", required=True, readonly=True, help="What applications check signatures with. Anybody may know it."
    )
    database_uuid = fields.Char(
        required=True,
        readonly=True,
        help="The database that the key was made for. A copy of the database has another one, and makes keys of its "
        "own.",
    )
    signs_from = fields.Datetime(required=True, readonly=True, help="When the key begins to sign.")
    withdrawn_at = fields.Datetime("Withdrawn", readonly=True, help="When an administrator took the key back.")
    state = fields.Selection(
        [
            ('published', "Published, signs later"),
            ('signing', "Signing"),
            ('retired', "Retired, still published"),
            ('gone', "No longer published"),
            ('withdrawn', "Withdrawn"),
        ],
        compute='_compute_state',
        help="What the key is used for now.",
    )
    create_date = fields.Datetime("Made", readonly=True)

    _kid_unique = models.Constraint('UNIQUE (kid)', "Two keys have one ID.")

    def init(self):
        self.env.cr.execute(
            SQL("ALTER TABLE %s ADD COLUMN IF NOT EXISTS private_key text", SQL.identifier(self._table))
        )

    def _compute_state(self):
        everything = self.search([])
        for key in self:
            key.state = key._get_state(everything, fields.Datetime.now())

    def _get_state(self, everything, now):
        self.ensure_one()
        if self.withdrawn_at:
            return 'withdrawn'
        if self.database_uuid != self._get_database_uuid():
            return 'gone'
        if self.signs_from > now:
            return 'published'
        successors = everything.filtered(
            lambda key: key.algorithm == self.algorithm
            and not key.withdrawn_at
            and key.database_uuid == self.database_uuid
            and (key.signs_from, key.id) > (self.signs_from, self.id)
            and key.signs_from <= now
        )
        if not successors:
            return 'signing'
        return 'retired' if min(successors.mapped('signs_from')) + AFTERLIFE > now else 'gone'

    @api.model
    def _get_database_uuid(self):
        # sudo: ir.config_parameter - which database this is
        return self.env['ir.config_parameter'].sudo().get_param('database.uuid') or ''

    @api.model
    def _get_published(self):
        """Return the keys whose signatures anybody may still have to check, the newest first."""
        # sudo: orestapi.signing.key - public keys are for everybody
        everything = self.sudo().search([])
        now = fields.Datetime.now()
        return everything.filtered(lambda key: key._get_state(everything, now) in ('published', 'signing', 'retired'))

    @api.model
    def _get_jwks(self):
        """Return the public JWK of each published key (RFC 7517 §5)."""
        return self._get_published().mapped('public_jwk')

    @api.model
    def _get_public_keys(self):
        """Return the published keys as `PublicKey`, to check tokens of this server with."""
        return [keys.parse(jwk) for jwk in self._get_jwks()]

    @api.model
    def _get_private_key(self, algorithm):
        """Return the `PrivateKey` that signs now. The first call makes one.

        :param str algorithm: of `SIGNING_ALGORITHMS`
        """
        key_id = self._find_signing(algorithm) or self._make(algorithm, fields.Datetime.now())
        cached = (self.env.cr.dbname, key_id)
        private_key = _private_keys.get(cached)
        if private_key is None:
            try:
                private_key = self._load_private_key(key_id)
            except InvalidKey:
                # The password of odoo.conf is gone or another one. Without a new key nobody
                # could sign in any more; the old tokens are still checked with the old key.
                _logger.warning("The signing key %s cannot be read with orestapi_key of odoo.conf: a new key is made", key_id)
                key_id = self._make(algorithm, fields.Datetime.now(), after=key_id)
                private_key = self._load_private_key(key_id)
            _private_keys[self.env.cr.dbname, key_id] = private_key
        return private_key

    @api.model
    def _find_signing(self, algorithm):
        # sudo: orestapi.signing.key - which key signs, for whoever needs a signature
        signing = self.sudo().search([
            ('algorithm', '=', algorithm),
            ('withdrawn_at', '=', False),
            ('database_uuid', '=', self._get_database_uuid()),
            ('signs_from', '<=', fields.Datetime.now()),
        ], order='signs_from desc, id desc', limit=1)
        return signing.id

    @api.model
    def _make(self, algorithm, signs_from, after=0):
        """Make a key, unless another worker did so meanwhile.

        :param str algorithm: of `SIGNING_ALGORITHMS`
        :param datetime signs_from: when it begins to sign
        :param int after: the row of the key that the new one replaces, or 0
        :return: the row of the newest key that signs then
        """
        with self.env.registry.cursor() as cr, self._get_lock(cr):
            env = self.env(cr=cr, user=api.SUPERUSER_ID)
            found = env[self._name].search(
                [
                    ('algorithm', '=', algorithm),
                    ('withdrawn_at', '=', False),
                    ('database_uuid', '=', self._get_database_uuid()),
                    ('signs_from', '<=', signs_from),
                    ('id', '>', after),
                ],
                order='signs_from desc, id desc',
                limit=1,
            )
            if found and found.signs_from + LIFETIME > signs_from:
                return found.id
            private_key = keys.generate(algorithm)
            row = env[self._name].create({
                'algorithm': algorithm,
                'kid': private_key.kid,
                'public_jwk': private_key.to_public_jwk(),
                'database_uuid': self._get_database_uuid(),
                'signs_from': signs_from,
            })
            row.flush_recordset()
            cr.execute(
                SQL(
                    "UPDATE orestapi_signing_key SET private_key = %s WHERE id = %s",
                    keys.dump_private(private_key, self._get_password()),
                    row.id,
                )
            )
            cr.commit()
            return row.id

    @contextlib.contextmanager
    def _get_lock(self, cr):
        """Hold the right to make keys, beside all other workers.

        A lock of the connection and not of the transaction: it is held until the row is
        there for all, and the transaction that looks for a row begins after it was got.
        """
        cr.execute(SQL("SELECT pg_advisory_lock(%s)", LOCK))
        cr.commit()
        try:
            yield
        finally:
            cr.rollback()
            cr.execute(SQL("SELECT pg_advisory_unlock(%s)", LOCK))

    @api.model
    def _load_private_key(self, key_id):
        # A cursor of its own: the row may be younger than this transaction.
        with self.env.registry.cursor() as cr:
            cr.execute(SQL("SELECT private_key, algorithm FROM orestapi_signing_key WHERE id = %s", key_id))
            text, algorithm = cr.fetchone()
        return keys.load_private(text, algorithm, self._get_password())

    @api.model
    def _get_password(self):
        """Return what private keys are encrypted with: `orestapi_key` of odoo.conf, or None."""
        return (config.get('orestapi_key') or '').encode() or None

    def action_withdraw(self):
        """Take keys back at once: nobody accepts what they signed any more.

        The next token makes a new key, which signs without having been announced.

        :raise AccessError: for anyone but an Oregional Odoo App administrator
        """
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(self.env._("Only Oregional Odoo App administrators can withdraw a signing key."))
        for key in self.filtered(lambda key: not key.withdrawn_at):
            # sudo: orestapi.signing.key - nobody writes keys by hand; who may withdraw was checked above
            key.sudo().withdrawn_at = fields.Datetime.now()
            self.env['orestapi.event']._log('signing_key_withdrawn', detail=key.kid)
        self._forget_private_keys()
        return True

    @api.model
    def _forget_private_keys(self):
        for cached in list(_private_keys):
            if cached[0] == self.env.cr.dbname:
                _private_keys.pop(cached, None)

    @api.model
    def _rotate(self):
        """Announce the successor of each key that has signed long enough."""
        now = fields.Datetime.now()
        for algorithm in SIGNING_ALGORITHMS:
            # sudo: orestapi.signing.key - the daily job of the server
            newest = self.sudo().search(
                [
                    ('algorithm', '=', algorithm),
                    ('withdrawn_at', '=', False),
                    ('database_uuid', '=', self._get_database_uuid()),
                ],
                order='signs_from desc, id desc',
                limit=1,
            )
            # Nobody has asked for this algorithm yet, or its successor is announced.
            if newest and newest.signs_from + LIFETIME <= now + ANNOUNCEMENT:
                self._make(algorithm, max(now + ANNOUNCEMENT, newest.signs_from + LIFETIME))

    @api.autovacuum
    def _gc_gone(self):
        """Delete keys that have been out of use for a year; rotate the others.

        :return: how many were deleted, and that there are no more
        """
        self._rotate()
        # sudo: orestapi.signing.key - the daily job of the server
        old = self.sudo().search([('create_date', '<', fields.Datetime.now() - KEPT)])
        gone = old.filtered(lambda key: key.state in ('gone', 'withdrawn'))
        count = len(gone)
        gone.unlink()
        return count, False
