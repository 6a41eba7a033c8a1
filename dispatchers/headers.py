"""Headers that several responses share."""

#: Of every page that a person sees on the way to an application: no cache, no frame, no referrer (RFC 9700 §2.6,
#: §4.2.4, §4.16; RFC 6819 §4.4.1.9, §4.6.6).
PAGE = {
    'Cache-Control': 'no-store',
    'Pragma': 'no-cache',
    'Referrer-Policy': 'no-referrer',
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    # From this server and nowhere else: a website may import its fonts from another one.
    'Content-Security-Policy': "default-src 'self' 'unsafe-inline' data:; frame-ancestors 'none'",
}
