import contextlib
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, config, ormcache
from odoo.tools.lru import LRU

from ..dispatchers.access_token import refuse_access_token
from ..jose import keys
from ..jose.errors import InvalidKey
from ..openid import key_schedule
from ..openid.discovery import SIGNING_ALGORITHMS
from ..openid.key_schedule import LIFETIME, ScheduledKey
from .orestapi_application import ADMINISTRATOR

_logger = logging.getLogger(__name__)

#: How long the row of an unused key is kept. Its public part still verifies an expired
#: `id_token_hint`.
KEPT = timedelta(days=365)

#: Number of the advisory lock under which keys are created, so that only one worker creates one.
LOCK = 0x6F726573

#: Private keys that this process has parsed, by database and row: parsing one takes as long as
#: signing with it.
_private_keys = LRU(64)


class OrestapiSigningKey(models.Model):
    """A key that this server signs with (RFC 7517): ID tokens, logout tokens.

    The private part is in a column that is not a field, so no method of the ORM, no export
    and no log of values can reach it. Keys are created when they are first needed.
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
            (key_schedule.PUBLISHED, "Published, signs later"),
            (key_schedule.SIGNING, "Signing"),
            (key_schedule.RETIRED, "Retired, still published"),
            (key_schedule.GONE, "No longer published"),
            ('withdrawn', "Withdrawn"),
        ],
        compute='_compute_state',
        help="What the key is used for now.",
    )
    create_date = fields.Datetime("Made", readonly=True, help="When the key was made.")

    _kid_unique = models.Constraint('UNIQUE (kid)', "Two keys have one ID.")

    def init(self):
        self.env.cr.execute(
            SQL("ALTER TABLE %s ADD COLUMN IF NOT EXISTS private_key text", SQL.identifier(self._table))
        )

    @api.depends('withdrawn_at')
    def _compute_state(self):
        now = fields.Datetime.now()
        scheduled = {key.id: key for key in self._get_scheduled()}
        for record in self:
            if record.withdrawn_at:
                record.state = 'withdrawn'
            elif record.id in scheduled:
                record.state = key_schedule.get_state(scheduled[record.id], scheduled.values(), now)
            else:
                # The key belongs to the database that this one was copied from.
                record.state = key_schedule.GONE

    @api.model
    def _get_database_uuid(self):
        # sudo: ir.config_parameter - which database this is
        return self.env['ir.config_parameter'].sudo().get_param('database.uuid') or ''

    @api.model
    @ormcache('self._get_database_uuid()', "self.env['orestapi.application']._get_signal()")
    def _get_scheduled(self):
        """Return each `ScheduledKey` of this database that is not withdrawn, the newest first.

        Every change of the keys empties the cache, also in other processes before their
        next request.
        """
        # The key may be newer than the transaction of the request.
        with self.env.registry.cursor() as cr:
            cr.execute(
                SQL(
                    """
                    SELECT id, algorithm, signs_from, public_jwk
                      FROM orestapi_signing_key
                     WHERE withdrawn_at IS NULL AND database_uuid = %s
                     ORDER BY id DESC
                    """,
                    self._get_database_uuid(),
                )
            )
            return tuple(ScheduledKey(*row) for row in cr.fetchall())

    @api.model
    def _forget_scheduled(self):
        self.env.registry.clear_cache()
        # And again, because another thread may cache the old keys until the commit.
        self.env.cr.postcommit.add(self.env.registry.clear_cache)

    @api.model
    def _get_jwks(self):
        """Return the public JWK of each published key (RFC 7517 §5), the newest first."""
        return [key.jwk for key in key_schedule.find_published(self._get_scheduled(), fields.Datetime.now())]

    @api.model
    def _get_known_keys(self):
        """Return all keys that are not withdrawn as `PublicKey`, to check a hint with, which may have expired."""
        return [keys.parse(key.jwk) for key in self._get_scheduled()]

    @api.model
    def _get_private_key(self, algorithm):
        """Return the `PrivateKey` that signs now. The first call makes one.

        :param str algorithm: of `SIGNING_ALGORITHMS`
        """
        now = fields.Datetime.now()
        signing = key_schedule.find_signing(self._get_scheduled(), algorithm, now)
        key_id = signing.id if signing else self._make(algorithm, now)
        private_key = _private_keys.get((self.env.cr.dbname, key_id))
        if private_key is None:
            try:
                private_key = self._load_private_key(key_id)
            except InvalidKey:
                # The password in odoo.conf was removed or changed. Without a new key, nobody could
                # sign in; old tokens are still verified with the old key.
                _logger.warning(
                    "The signing key %s cannot be read with orestapi_key of odoo.conf: a new key is made", key_id
                )
                key_id = self._make(algorithm, now, after=key_id)
                private_key = self._load_private_key(key_id)
            _private_keys[self.env.cr.dbname, key_id] = private_key
        return private_key

    @api.model
    def _make(self, algorithm, signs_from, after=0):
        """Make a key, unless another worker did so meanwhile.

        :param str algorithm: of `SIGNING_ALGORITHMS`
        :param datetime signs_from: when it begins to sign
        :param int after: the row of the key that the new one replaces, or 0
        :return: the row of the newest key that signs then
        """
        with self.env.registry.cursor() as cr, self._hold_lock(cr):
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
                key_id = found.id
            else:
                private_key = keys.generate(algorithm)
                key = env[self._name].create({
                    'algorithm': algorithm,
                    'kid': private_key.kid,
                    'public_jwk': private_key.to_public_jwk(),
                    'database_uuid': self._get_database_uuid(),
                    'signs_from': signs_from,
                })
                key.flush_recordset()
                cr.execute(
                    SQL(
                        "UPDATE orestapi_signing_key SET private_key = %s WHERE id = %s",
                        keys.dump_private(private_key, self._get_password()),
                        key.id,
                    )
                )
                key_id = key.id
            # A separate transaction, which ends before the lock is released.
            cr.commit()  # pylint: disable=unknown-option-value,invalid-commit
        self._forget_scheduled()
        return key_id

    @contextlib.contextmanager
    def _hold_lock(self, cr):
        """Hold the right to make keys, beside all other workers.

        The lock belongs to the connection, not to the transaction: it is held until every
        worker sees the row, and the transaction that looks for a row begins after the lock
        is acquired.
        """
        cr.execute(SQL("SELECT pg_advisory_lock(%s)", LOCK))
        cr.commit()  # pylint: disable=unknown-option-value,invalid-commit
        try:
            yield
        finally:
            cr.rollback()
            cr.execute(SQL("SELECT pg_advisory_unlock(%s)", LOCK))

    @api.model
    def _load_private_key(self, key_id):
        # A separate cursor, because the row may be newer than this transaction.
        with self.env.registry.cursor() as cr:
            cr.execute(SQL("SELECT private_key, algorithm FROM orestapi_signing_key WHERE id = %s", key_id))
            text, algorithm = cr.fetchone()
        return keys.load_private(text, algorithm, self._get_password())

    @api.model
    def _get_password(self):
        """Return what private keys are encrypted with: `orestapi_key` of odoo.conf, or None."""
        return (config.get('orestapi_key') or '').encode() or None

    def action_withdraw(self):
        """Withdraw keys at once: nobody accepts their signatures any more.

        The next token creates a new key, which signs without having been published before.

        :raise AccessError: for anyone but an Oregional Odoo App administrator, and for an access token of theirs
        """
        refuse_access_token(self.env)
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(self.env._("Only Oregional Odoo App administrators can withdraw a signing key."))
        for key in self.filtered(lambda key: not key.withdrawn_at):
            # sudo: orestapi.signing.key - nobody writes keys by hand; who may withdraw was checked above
            key.sudo().withdrawn_at = fields.Datetime.now()
            self.env['orestapi.event']._log('signing_key_withdrawn', detail=key.kid)
        self.env.flush_all()
        self._forget_scheduled()
        return True

    @api.model
    def _rotate(self):
        """Announce the successor of each key that has signed long enough."""
        now = fields.Datetime.now()
        for algorithm in SIGNING_ALGORITHMS:
            signs_from = key_schedule.find_next_start(self._get_scheduled(), algorithm, now)
            if signs_from:
                self._make(algorithm, signs_from)

    @api.autovacuum
    def _gc_gone(self):
        """Delete keys that have been out of use for a year; announce the successors of the others.

        :return: how many were deleted, and that there are no more
        """
        self._rotate()
        # sudo: orestapi.signing.key - the daily clean-up, which runs for nobody in particular
        old = self.sudo().search([('create_date', '<', fields.Datetime.now() - KEPT)])
        gone = old.filtered(lambda key: key.state in (key_schedule.GONE, 'withdrawn'))
        count = len(gone)
        gone.unlink()
        self._forget_scheduled()
        return count, False
