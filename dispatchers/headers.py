"""Headers that several responses share."""

#: Headers of every page between a person and an application: no cache, no frame, no referrer (RFC 9700 §2.6,
#: §4.2.4, §4.16; RFC 6819 §4.4.1.9, §4.6.6).
PAGE = {
    'Cache-Control': 'no-store',
    'Pragma': 'no-cache',
    'Referrer-Policy': 'no-referrer',
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    # Styles from this server only, although a website may import fonts from elsewhere. No
    # scripts: the pages need none, and an injected one could press *Allow*.
    'Content-Security-Policy': "default-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'none'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
}

#: Of the page that posts a response to the application: with the one script that does it. A browser that runs no
#: scripts shows a button.
FORM_POST_POLICY = PAGE['Content-Security-Policy'].replace("script-src 'none'", "script-src 'self'")

#: Of a document that is the same for everybody, and that applications keep for an hour. A new key is published a
#: day before it signs (`openid.key_schedule`).
PUBLISHED = {'Cache-Control': 'public, max-age=3600', 'Pragma': ''}
