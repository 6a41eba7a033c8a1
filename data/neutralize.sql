-- A copy of a database is for trying things out: no application may act on it
-- with what it was given for the original, nor take it for the original.
DELETE FROM orestapi_authorization_code;
DELETE FROM orestapi_token;
DELETE FROM ir_config_parameter WHERE key = 'orestapi.issuer';
-- With the key of the original, the copy could end sign-ins there.
-- Odoo neutralizes also a backup of the first release, which has no such table yet.
DO $$
BEGIN
    IF to_regclass('orestapi_key') IS NOT NULL THEN
        UPDATE orestapi_key SET value = replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    END IF;
END
$$;
-- Nor may it sign anybody in for the applications of the original.
DO $$
BEGIN
    IF to_regclass('orestapi_signing_key') IS NOT NULL THEN
        DELETE FROM orestapi_signing_key;
    END IF;
END
$$;
-- Nor may it tell them that somebody has logged out.
DO $$
BEGIN
    IF to_regclass('orestapi_logout_call') IS NOT NULL THEN
        DELETE FROM orestapi_logout_call;
        DELETE FROM orestapi_logout_session;
        UPDATE orestapi_application SET backchannel_logout_uri = NULL;
    END IF;
END
$$;
UPDATE orestapi_application
   SET active = FALSE,
       own_secret = NULL,
       client_secret_hash = NULL,
       client_secret_date = NULL,
       previous_client_secret_hash = NULL,
       previous_client_secret_expires_at = NULL;
