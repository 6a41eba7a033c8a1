import pytest
from orestapi.oauth2.errors import InvalidRequest
from orestapi.oauth2.parameters import Parameters
from orestapi.openid import authentication_request
from orestapi.openid.errors import RegistrationNotSupported, RequestNotSupported, RequestUriNotSupported


def _validate(**parameters):
    return authentication_request.validate(Parameters(parameters.items()))


def test_nothing_asked():
    request = _validate(scope='openid', state='x')
    assert request.prompt == frozenset() and request.allows_page
    assert request.max_age is request.nonce is request.login_hint is request.id_token_hint is None
    assert request.response_mode == 'query'
    assert not request.needs_login(None, 1000)


def test_everything_asked():
    request = _validate(
        prompt='login consent',
        max_age='60',
        nonce='n',
        login_hint='ada@example.com',
        id_token_hint='a.b.c',
        ui_locales='hu  de hu',
        acr_values='urn:a urn:b',
        display='popup',
        response_mode='form_post',
        claims='{"userinfo": {"name": {"essential": true}}}',
    )
    assert request.prompt == {'login', 'consent'}
    assert request.max_age == 60
    assert request.ui_locales == ('hu', 'de')
    assert request.acr_values == ('urn:a', 'urn:b')
    assert request.response_mode == 'form_post'
    assert request.claims.userinfo == {'name'}


@pytest.mark.parametrize('prompt', ['none', 'login', 'consent', 'select_account', ' login  consent '])
def test_prompt(prompt):
    assert _validate(prompt=prompt).prompt == set(prompt.split())


@pytest.mark.parametrize('prompt', ['none login', 'login none', 'create', 'None', 'login create'])
def test_n306_prompt_that_is_refused(prompt):
    with pytest.raises(InvalidRequest):
        _validate(prompt=prompt)


def test_n306_empty_prompt_is_none_at_all():
    """RFC 6749 §3.1: a parameter without a value is treated as left out."""
    assert _validate(prompt='').prompt == frozenset()


@pytest.mark.parametrize('max_age', ['-1', 'text', '1' + '0' * 20, '9999999999', '1.5', '+1', ' 1', '١'])
def test_n309_max_age_that_is_refused(max_age):
    with pytest.raises(InvalidRequest):
        _validate(max_age=max_age)


@pytest.mark.parametrize(
    ('max_age', 'auth_time', 'expected'),
    [
        ('0', 1000, True),
        ('1', 1000, False),
        ('1', 999, False),
        ('1', 998, True),
        ('10000', 990, False),
        ('10000', None, True),
        ('2147483647', 0, False),
    ],
)
def test_n309_max_age(max_age, auth_time, expected):
    assert _validate(max_age=max_age).needs_login(auth_time, 1000) is expected


@pytest.mark.parametrize('nonce', ['n', 'n' * 255, 'n' * 4096, "ünïcode 'and' blanks"])
def test_n311_nonce(nonce):
    assert _validate(nonce=nonce).nonce == nonce


def test_n311_nonce_that_is_too_long():
    with pytest.raises(InvalidRequest):
        _validate(nonce='n' * 4097)


@pytest.mark.parametrize(
    ('name', 'error'),
    [
        ('request', RequestNotSupported),
        ('request_uri', RequestUriNotSupported),
        ('registration', RegistrationNotSupported),
    ],
)
def test_n316_not_supported(name, error):
    with pytest.raises(error):
        _validate(**{name: 'https://10.0.0.1/request'})


@pytest.mark.parametrize('mode', ['fragment', 'web_message', 'jwt', 'QUERY'])
def test_n317_response_mode(mode):
    with pytest.raises(InvalidRequest):
        _validate(response_mode=mode)
    assert authentication_request.find_response_mode(Parameters([('response_mode', mode)])) == 'query'


def test_response_mode_of_an_error():
    parameters = Parameters([('response_mode', 'form_post'), ('max_age', 'x')])
    assert authentication_request.find_response_mode(parameters) == 'form_post'


def test_n318_long_login_hint_is_cut():
    assert len(_validate(login_hint='x' * 10_000).login_hint) == authentication_request.MAX_LOGIN_HINT


@pytest.mark.parametrize('name', authentication_request.PARAMETERS)
def test_no_parameter_twice(name):
    with pytest.raises(InvalidRequest):
        authentication_request.validate(Parameters([(name, 'none'), (name, 'none')]))


def test_repr_shows_no_hint():
    assert 'ada' not in repr(_validate(login_hint='ada'))
