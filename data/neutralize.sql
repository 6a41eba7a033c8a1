-- A copy of a database is for trying things out: no application may act on it
-- with what it was given for the original, nor take it for the original.
DELETE FROM orestapi_authorization_code;
DELETE FROM orestapi_token;
DELETE FROM ir_config_parameter WHERE key = 'orestapi.issuer';
UPDATE orestapi_application
   SET active = FALSE,
       own_secret = NULL,
       client_secret_hash = NULL,
       client_secret_date = NULL,
       previous_client_secret_hash = NULL,
       previous_client_secret_expires_at = NULL;
