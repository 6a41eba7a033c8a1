import uuid

from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL, ormcache


class OrestapiSubject(models.Model):
    """Who a user is for applications (OpenID Connect Core §8): a random UUID, made when it is first needed.

    Each user has one, and one more for each application that must not be able to compare
    its users with those of others (pairwise). They are random, so neither can be computed
    from the other or from the user. They have their own table, so that a copy of a user
    does not get them.
    """

    _name = 'orestapi.subject'
    _description = "Subject Identifier"
    _log_access = False

    user_id = fields.Many2one('res.users', required=True, ondelete='cascade', groups=NO_ACCESS)
    application_id = fields.Many2one(
        'orestapi.application', index='btree_not_null', ondelete='cascade', groups=NO_ACCESS
    )
    subject = fields.Char(required=True, groups=NO_ACCESS)

    _owner_unique = models.UniqueIndex('(user_id, COALESCE(application_id, 0))')
    _subject_unique = models.UniqueIndex('(subject)')

    @api.model
    def _get_subject(self, user_id, client):
        """Return the subject identifier of a user for an application.

        :param int user_id: the user
        :param Client client: the application
        """
        return self._get(user_id, client.id if client.pairwise_subject else 0)

    @api.model
    @ormcache('user_id', 'application_id')
    def _get(self, user_id, application_id):
        find = SQL(
            "SELECT subject FROM orestapi_subject WHERE user_id = %s AND COALESCE(application_id, 0) = %s",
            user_id,
            application_id,
        )
        rows = self.env.execute_query(find)
        if not rows:
            # In a separate transaction, because this request may be read-only. If two requests
            # create one at once, PostgreSQL makes the second start over.
            with self.env.registry.cursor() as cr:
                cr.execute(
                    SQL(
                        """
                        INSERT INTO orestapi_subject (user_id, application_id, subject)
                        VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
                        """,
                        user_id,
                        application_id or None,
                        str(uuid.uuid4()),
                    ),
                    log_exceptions=False,
                )
                cr.execute(find)
                rows = cr.fetchall()
        return rows[0][0]

    @api.model
    def _merge(self, source_ids, target_id):
        """Prepare that core makes the rows of some users those of another one.

        The other one keeps the identifier that they have, and takes over one of those users if they have none. Core
        takes no notice of unique indexes, and would fail.

        :param source_ids: the users who are merged into the other one, and cease to be
        :param int target_id: the user who is kept
        """
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM orestapi_subject
                 WHERE id IN (
                       SELECT id
                         FROM (SELECT id, user_id, row_number() OVER (
                                      PARTITION BY COALESCE(application_id, 0) ORDER BY user_id <> %(target_id)s, id
                                      ) AS position
                                 FROM orestapi_subject
                                WHERE user_id = %(target_id)s OR user_id = ANY(%(source_ids)s)) AS known
                        WHERE position > 1)
                """,
                target_id=target_id,
                source_ids=list(source_ids),
            )
        )
        # Of a user who goes on by another identifier than before.
        self.env['orestapi.application']._invalidate_caches()

    @api.model
    def _find_user(self, subject):
        """Return the active user of a subject identifier, or an empty recordset.

        :param str subject: may be made up
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT user_id FROM orestapi_subject JOIN res_users ON res_users.id = user_id
                 WHERE subject = %s AND active
                """,
                subject,
            )
        )
        return self.env['res.users'].browse(user_id for [user_id] in rows)
