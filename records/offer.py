"""The models and fields that a model scheme offers to remote applications."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

UNLIMITED = 'none'
BLACKLIST = 'blacklist'
WHITELIST = 'whitelist'


@dataclass(frozen=True)
class Limit:
    """Which names are offered.

    :param str mode: `UNLIMITED` for all names, `BLACKLIST` for all but the listed
        ones, `WHITELIST` for the listed ones only
    :param frozenset names: the list
    """

    mode: str = UNLIMITED
    names: frozenset = frozenset()

    def __contains__(self, name):
        if self.mode == UNLIMITED:
            return True
        return (name in self.names) == (self.mode == WHITELIST)

    def lists(self, name):
        """Return whether a name is offered because somebody chose it by name.

        Names that could do harm (a binary, a credential) are offered only in this way.
        """
        return self.mode == WHITELIST and name in self.names

    @property
    def excludes(self):
        """Whether some name is not offered."""
        return self.mode == WHITELIST or (self.mode == BLACKLIST and bool(self.names))

    def is_within(self, other):
        """Return whether this offers nothing that `other` does not.

        In doubt the result is False, also for a whitelist within a limit that offers all
        names: a whitelist can offer credentials by name, which a blacklist never does.
        """
        if self.mode == WHITELIST:
            return not self.names or (other.mode == WHITELIST and self.names <= other.names)
        if other.mode == WHITELIST:
            return False
        excluded = self.names if self.mode == BLACKLIST else frozenset()
        return other.mode == UNLIMITED or other.names <= excluded


@dataclass(frozen=True)
class Offer:
    """The most that one application may be shown: the rights of the user narrow it further.

    :param Limit models: which models
    :param fields: the `Limit` of the fields of each model, by the name of the
        model; a missing model has no limit
    :param configurations: the id of the configuration of a model, by its name
    """

    models: Limit = field(default_factory=lambda: Limit(WHITELIST))
    fields: MappingProxyType = field(default_factory=lambda: MappingProxyType({}))
    configurations: MappingProxyType = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def digest(self):
        """A text that identifies the offer in all processes until any part of it changes."""
        return hashlib.sha256(repr((self.describe(), sorted(self.configurations.items()))).encode()).hexdigest()

    def get_fields(self, model):
        """Return the `Limit` of the fields of a model."""
        return self.fields.get(model, Limit()) if model in self.models else Limit(WHITELIST)

    def describe(self):
        """Return the offer as a value that is the same for equal offers in every process."""
        limits = sorted([(model, limit.mode, sorted(limit.names)) for model, limit in self.fields.items()])
        return self.models.mode, sorted(self.models.names), limits

    @property
    def excludes(self):
        """Whether some model, or some field of a model, is not offered."""
        return self.models.excludes or any(limit.excludes for limit in self.fields.values())

    def is_within(self, other):
        """Return whether this offers nothing that `other` does not; see `Limit.is_within`."""
        return self.models.is_within(other.models) and all(
            self.get_fields(model).is_within(other.get_fields(model))
            for model in {*self.fields, *other.fields, *self.models.names}
            if model in self.models
        )


#: The offer for an application without a model scheme.
NOTHING = Offer()
