"""One linked pair, field by field: what each side changed since they last met, and so what goes where. Pure.

The base holds both sides as they were then, because they need not have been equal: a shop may trim a text, and a pair
that was linked may differ from the start. Only a change counts, never a difference.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from carts.choices import Differs, Owner
from carts.fields import Values


@dataclass(frozen=True, slots=True)
class Base:
    theirs: Values
    ours: Values

    @classmethod
    def of_text(cls, text: str, theirs: Values, ours: Values) -> "Base":
        """What was stored; where nothing was, the two sides as given."""
        kept = json.loads(text) if text else {}
        return cls({**theirs, **kept.get("theirs", {})}, {**ours, **kept.get("ours", {})})

    def text(self) -> str:
        return json.dumps({"theirs": dict(self.theirs), "ours": dict(self.ours)}, sort_keys=True, ensure_ascii=False)

    def met(self, names: Collection[str], theirs: Values, ours: Values) -> "Base":
        """These fields were brought together just now."""
        return Base(
            {**self.theirs, **{name: theirs[name] for name in names}},
            {**self.ours, **{name: ours[name] for name in names}},
        )


@dataclass(frozen=True, slots=True)
class Way:
    """What may pass: `takes` from the cart, `sends` the fields that may be set there. `owners` by field."""

    takes: bool
    sends: frozenset[str]
    owners: Mapping[str, str]
    theirs_is_newer: bool = False


@dataclass(slots=True)
class Merge:
    """`take` and `send` hold new values by field, `conflicts` (ours, theirs)."""

    take: dict[str, str] = field(default_factory=dict)
    send: dict[str, str] = field(default_factory=dict)
    conflicts: dict[str, tuple[str, str]] = field(default_factory=dict)
    equal: list[str] = field(default_factory=list)
    differs: Differs = Differs.NEITHER


def merge(base: Base, theirs: Values, ours: Values, way: Way) -> Merge:
    merged = Merge()
    sides = set()
    for name in ours:
        if theirs.get(name) == ours[name]:
            merged.equal.append(name)
            continue
        if name not in theirs or (name == "price" and not theirs[name]):
            continue  # the cart does not say
        there, here = theirs[name] != base.theirs.get(name), ours[name] != base.ours.get(name)
        sides |= ({"there"} if there else set()) | ({"here"} if here else set())
        _decide(merged, name, theirs[name], ours[name], (there, here), way)
    merged.differs = Differs.BOTH if len(sides) == 2 else Differs(next(iter(sides), ""))
    return merged


def _decide(merged: Merge, name: str, theirs: str, ours: str, changed: tuple[bool, bool], way: Way) -> None:
    there, here = changed
    owner = way.owners.get(name, Owner.ASK)
    may_send = name in way.sends
    if owner == Owner.SYSTEM:
        # What the shop changed is set back; without a change on either side a difference is left as it was linked.
        if may_send and (there or here):
            merged.send[name] = ours
    elif owner == Owner.CART:
        if way.takes and (there or here):
            merged.take[name] = theirs
    elif there and here:
        if owner == Owner.ASK:
            merged.conflicts[name] = (ours, theirs)
        elif way.theirs_is_newer and way.takes:
            merged.take[name] = theirs
        elif not way.theirs_is_newer and may_send:
            merged.send[name] = ours
    elif there and way.takes:
        merged.take[name] = theirs
    elif here and may_send:
        merged.send[name] = ours
