"""Request parameters, read as RFC 6749 §3.1, §3.2 and appendix B require."""

from urllib.parse import parse_qsl, urlencode

from .errors import InvalidRequest

MEDIA_TYPE = 'application/x-www-form-urlencoded'

#: No honest request has more than a dozen parameters; a longer list only costs time
#: (CWE-400).
MAX_PARAMETERS = 100


class Parameters:
    """The parameters of one request.

    A parameter that is sent more than once is marked as repeated and reads as absent:
    RFC 6749 §3.1 forbids repeats, and attacks with doubled parameters depend on a server
    that takes the first or the last value. A parameter with an empty value also reads
    as absent (RFC 6749 §3.1).
    """

    def __init__(self, pairs):
        self._values = {}
        self.repeated = set()
        for name, value in pairs:
            if name in self._values:
                self.repeated.add(name)
            self._values[name] = value

    def get(self, name):
        """Return the value of a parameter, or None if absent, empty or repeated."""
        if name in self.repeated:
            return None
        return self._values.get(name) or None

    def require(self, name):
        """Return the value of a parameter.

        :raise InvalidRequest: when it is absent, empty or repeated
        """
        value = self.get(name)
        if value is None:
            raise InvalidRequest(f"The parameter {name} is missing.", reason='parameter_missing', sent=name)
        return value

    def __contains__(self, name):
        return name in self._values

    def __iter__(self):
        return iter(self._values)

    def require_single(self, names):
        """Refuse repeats and array syntax of the given parameters.

        :param names: the parameters that the endpoint knows
        :raise InvalidRequest: for a repeated parameter (RFC 6749 §3.1) or for
            one sent as `name[]` or `name[key]`, which only frameworks read
        """
        for name in names:
            if name in self.repeated:
                raise InvalidRequest(
                    f"The parameter {name} is sent more than once.", reason='parameter_repeated', sent=name
                )
        for sent in self._values:
            name, bracket, _rest = sent.partition('[')
            if bracket and name in names:
                raise InvalidRequest(
                    f"The parameter {name} must be a single value.", reason='parameter_repeated', sent=name
                )


def parse(encoded):
    """Parse a query string or a form body.

    :param bytes encoded: text in the format of RFC 6749 appendix B
    :return: `Parameters`
    :raise InvalidRequest: when it is not UTF-8, contains a NUL character (which
        PostgreSQL cannot store) or has too many parameters
    """
    try:
        pairs = parse_qsl(
            encoded.decode('ascii'),
            keep_blank_values=True,
            encoding='utf-8',
            errors='strict',
            max_num_fields=MAX_PARAMETERS,
        )
    except UnicodeError:
        raise InvalidRequest("The parameters are not percent-encoded UTF-8.", reason='encoding') from None
    except ValueError:
        raise InvalidRequest("The request has too many parameters.", reason='too_large') from None
    if any('\0' in name or '\0' in value for name, value in pairs):
        raise InvalidRequest("The parameters contain a NUL character.", reason='encoding')
    return Parameters(pairs)


def add_to_uri(uri, parameters):
    """Add response parameters to the query of a redirect URI (RFC 6749 §3.1.2, §4.1.2).

    The query that the URI was registered with is kept, except for parameters of
    the same name: a response has each parameter once.

    :param str uri: the redirect URI; it has no fragment (RFC 6749 §3.1.2)
    :param dict parameters: the parameters to add; None removes the registered
        parameter of that name
    :return: the URI to redirect to, ASCII only
    """
    # Not `urlunsplit`: it turns `com.example.app:///callback` into another URI.
    base, _mark, query = uri.partition('?')
    kept = [
        field
        for field in query.split('&')
        if field and parse_qsl(field, keep_blank_values=True)[0][0] not in parameters
    ]
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{base}?{'&'.join([*kept, added])}"
