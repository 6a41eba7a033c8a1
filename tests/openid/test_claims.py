"""Claims that an administrator defines: their names, and the scopes that carry them (Core §5.1.2, §5.4)."""

import pytest
from orestapi.openid import claims
from orestapi.openid.claims import DefinedClaim
from orestapi.openid.login import describe

DEFINED = (DefinedClaim(1, 'job', 'partner.function', 'profile'), DefinedClaim(2, 'tax', 'company.vat', 'company'))


@pytest.mark.parametrize('name', ['job', 'given_name', 'https://example.com/claims/job', 'x' * 200, 'Department-1'])
def test_may_define(name):
    assert claims.may_define(name)


@pytest.mark.parametrize(
    'name',
    [
        '',
        'two words',
        'x' * 201,
        'a"b',
        'a\\b',
        'a\n',
        'naïve',
        pytest.param('\u017fub', id='Go folds the long s to s'),
        *sorted(claims.RESERVED),
        *(name for carried in claims.SCOPES.values() for name in carried),
        pytest.param('SUB', id='libraries that ignore case take it for sub'),
        'Email_Verified',
        'Groups',
    ],
)
def test_may_not_define(name):
    assert not claims.may_define(name)


def test_names_that_scopes_carry():
    assert claims.get_names({'openid'}, DEFINED) == {'sub'}
    assert claims.get_names({'openid', 'profile'}, DEFINED) == claims.get_names({'openid', 'profile'}) | {'job'}
    assert claims.get_names({'company'}, DEFINED) == {'tax'}


def test_scopes_that_carry_names():
    assert claims.get_scope({'tax'}, DEFINED) == {'company'}
    assert claims.get_scope({'job', 'email'}, DEFINED) == {'profile', 'email'}
    assert claims.get_scope({'job'}) == frozenset()


def test_claims_of_the_id_token():
    assert describe(None, (), None, None, {'job', 'other', 'email'}, DEFINED).id_token_claims == 'email job'
    assert describe(None, (), None, None, {'job'}).id_token_claims is None


def test_values_that_say_nothing_are_left_out():
    values = {'a': None, 'b': '', 'c': [], 'd': False, 'e': 0, 'f': 'x'}
    assert claims.select(values, set(values)) == {'d': False, 'e': 0, 'f': 'x'}
