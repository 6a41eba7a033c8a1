def migrate(cr, version):
    """Fill in when each application was last used, from the sign-ins that still exist."""
    cr.execute("""
        UPDATE orestapi_application AS application
           SET last_used_at = sign_in.last_used_at
          FROM (
               SELECT "authorization".application_id, max(token.last_used_at) AS last_used_at
                 FROM orestapi_token AS token
                 JOIN orestapi_authorization AS "authorization" ON "authorization".id = token.authorization_id
                GROUP BY "authorization".application_id
               ) AS sign_in
         WHERE application.id = sign_in.application_id AND application.last_used_at IS NULL
    """)
