def migrate(cr, version):
    """Fill what the release before did not keep."""
    # Whom a trusted application was allowed for may never have been asked.
    cr.execute("""
        UPDATE orestapi_authorization AS authorization_
           SET by_setting = TRUE
          FROM orestapi_application AS application
         WHERE application.id = authorization_.application_id AND application.trusted
    """)
    # A public application has no secret: one of the time before must not come back with its type.
    cr.execute("""
        UPDATE orestapi_application
           SET client_secret_hash = NULL, client_secret_date = NULL,
               previous_client_secret_hash = NULL, previous_client_secret_expires_at = NULL
         WHERE client_type = 'public'
    """)
