import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from records.offer import BLACKLIST, NOTHING, UNLIMITED, WHITELIST, Limit, Offer

NAMES = ('a', 'b', 'c')
LIMITS = st.builds(Limit, st.sampled_from([UNLIMITED, BLACKLIST, WHITELIST]), st.frozensets(st.sampled_from(NAMES)))
OFFERS = st.builds(Offer, LIMITS, st.dictionaries(st.sampled_from(NAMES), LIMITS))
#: One name more than can be listed, as if an app added it later.
ALL_NAMES = (*NAMES, 'later')


@pytest.mark.parametrize(
    ('limit', 'offered'),
    [
        (Limit(), 'abc'),
        (Limit(UNLIMITED, frozenset('a')), 'abc'),
        (Limit(BLACKLIST, frozenset('a')), 'bc'),
        (Limit(BLACKLIST), 'abc'),
        (Limit(WHITELIST, frozenset('a')), 'a'),
        (Limit(WHITELIST), ''),
    ],
)
def test_what_a_limit_offers(limit, offered):
    assert ''.join(name for name in NAMES if name in limit) == offered


@pytest.mark.parametrize(
    ('limit', 'listed'),
    [
        (Limit(UNLIMITED, frozenset('a')), False),
        (Limit(BLACKLIST, frozenset('a')), False),
        (Limit(BLACKLIST, frozenset('b')), False),
        (Limit(WHITELIST, frozenset('b')), False),
        (Limit(WHITELIST, frozenset('a')), True),
    ],
)
def test_only_a_whitelist_chooses_by_name(limit, listed):
    assert limit.lists('a') is listed


@given(LIMITS, LIMITS)
@example(Limit(WHITELIST, frozenset('a')), Limit())
def test_a_limit_within_another_offers_nothing_more(limit, other):
    if limit.is_within(other):
        assert {name for name in ALL_NAMES if name in limit} <= {name for name in ALL_NAMES if name in other}
        assert {name for name in ALL_NAMES if limit.lists(name)} <= {name for name in ALL_NAMES if other.lists(name)}


@given(LIMITS)
def test_a_limit_is_within_itself(limit):
    assert limit.is_within(limit)
    assert Limit(WHITELIST).is_within(limit)


def test_a_list_in_place_of_all_is_no_narrowing():
    """A whitelist can offer a credential by name, which the other modes never do."""
    assert not Limit(WHITELIST, frozenset('a')).is_within(Limit())
    assert not Limit(WHITELIST, frozenset('a')).is_within(Limit(BLACKLIST, frozenset('b')))


@given(OFFERS, OFFERS)
def test_an_offer_within_another_offers_nothing_more(offer, other):
    if offer.is_within(other):
        for model in ALL_NAMES:
            assert model not in offer.models or model in other.models
            for name in ALL_NAMES:
                assert name not in offer.get_fields(model) or name in other.get_fields(model)
                assert not offer.get_fields(model).lists(name) or other.get_fields(model).lists(name)


@given(OFFERS)
def test_an_offer_is_within_itself(offer):
    assert offer.is_within(offer)
    assert NOTHING.is_within(offer)


@given(OFFERS)
def test_a_model_outside_has_no_fields(offer):
    for model in ALL_NAMES:
        if model not in offer.models:
            assert not any(name in offer.get_fields(model) for name in ALL_NAMES)


def test_nothing():
    assert not any(name in NOTHING.models for name in ALL_NAMES)
    assert Offer() == NOTHING


def test_what_an_offer_says_cannot_be_changed():
    with pytest.raises(AttributeError):
        NOTHING.models = Limit()
    with pytest.raises(TypeError):
        NOTHING.fields['a'] = Limit()


@given(OFFERS, OFFERS)
def test_digest(offer, other):
    """Equal offers have the same digest, different offers have different ones."""
    assert (offer.digest == other.digest) is (offer == other)
    assert len(offer.digest) == 64
