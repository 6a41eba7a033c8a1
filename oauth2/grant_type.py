"""The grant types of the token endpoint (RFC 6749 §4.1.3, §4.4.2, §6)."""

AUTHORIZATION_CODE = 'authorization_code'
CLIENT_CREDENTIALS = 'client_credentials'
REFRESH_TOKEN = 'refresh_token'

ALL = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS)
