"""What a query costs, and the bucket it is paid from.

An object costs a point, a scalar none, a mutation ten. A connection is "sized by first": the size is not published, and
`sized` fits what live servers have answered (12 for 250). A list without `first` counts as one object.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.utilities import value_from_ast_untyped

MOST_FOR_ONE_QUERY = 1000
MUTATION = 10
# Points restored in a second by plan; a bucket holds twenty times as many.
PLANS = {"standard": 100, "advanced": 200, "plus": 1000, "enterprise": 2000}
BUCKET_SECONDS = 20


def sized(count: int) -> int:
    return 0 if count <= 0 else max(1, math.ceil(2 * math.log(count)))


class Bucket:
    """Points of one app in one shop. `now` gives seconds; a test puts its own clock in its place."""

    def __init__(self, plan: str) -> None:
        self.now: Callable[[], float] = time.monotonic
        self.restore = float(PLANS[plan])
        self.limit = self.restore * BUCKET_SECONDS
        self._left, self._at = self.limit, self.now()

    @property
    def left(self) -> float:
        now = self.now()
        self._left = min(self.limit, self._left + max(0.0, now - self._at) * self.restore)
        self._at = now
        return self._left

    @left.setter
    def left(self, points: float) -> None:
        self._left, self._at = points, self.now()

    def status(self) -> dict[str, Any]:
        return {"maximumAvailable": self.limit, "currentlyAvailable": int(self.left), "restoreRate": self.restore}


class Reckoner:
    """The cost of one operation: `requested` from what it asks for, `actual` from what came."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema, self._fragments, self._variables = schema, fragments, variables
        self._operation = operation
        self._is_mutation = operation.operation.value == "mutation"
        root = schema.mutation_type if self._is_mutation else schema.query_type
        assert root is not None
        self._root = root

    def requested(self) -> int:
        return self._selection(self._operation.selection_set, self._root)

    def actual(self, data: Mapping[str, Any] | None) -> int:
        return self._selection_of(self._operation.selection_set, self._root, data)

    def _selection(self, selection: SelectionSetNode, parent: GraphQLNamedType) -> int:
        return sum(self._field(node, kind) for node, kind in self._fields(selection, parent))

    def _fields(self, selection: SelectionSetNode, parent: GraphQLNamedType) -> list[tuple[FieldNode, Any]]:
        found: list[tuple[FieldNode, Any]] = []
        for node in selection.selections:
            if isinstance(node, FieldNode):
                found.append((node, parent))
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                kind = self._schema.type_map[fragment.type_condition.name.value]
                found += self._fields(fragment.selection_set, kind)
            elif isinstance(node, InlineFragmentNode):
                kind = self._schema.type_map[node.type_condition.name.value] if node.type_condition else parent
                found += self._fields(node.selection_set, kind)
        return found

    def _field(self, node: FieldNode, parent: GraphQLObjectType) -> int:
        if node.selection_set is None:
            return 0
        returns = parent.fields[node.name.value].type
        kind = get_named_type(returns)
        children = self._selection(node.selection_set, kind)
        if kind.name.endswith("Connection"):
            return sized(self._first(node)) * children
        if kind.name == "PageInfo":
            return 0
        if parent is self._root and self._is_mutation:
            return MUTATION
        count = self._first(node) if _is_list(returns) and not self._is_plain_nodes(node) else 1
        return sized(count) * (1 + children)

    @staticmethod
    def _is_plain_nodes(node: FieldNode) -> bool:
        """A connection's `nodes` are sized by the connection, and a list without a size counts once."""
        return not any(argument.name.value in ("first", "ids") for argument in node.arguments)

    def _first(self, node: FieldNode) -> int:
        for argument in node.arguments:
            if argument.name.value in ("first", "ids"):
                value = value_from_ast_untyped(argument.value, dict(self._variables))
                return len(value) if isinstance(value, list) else int(value or 0)
        return 1

    def _selection_of(self, selection: SelectionSetNode, parent: GraphQLNamedType, data: Any) -> int:
        if not isinstance(data, Mapping):
            return 0
        total = 0
        for node, kind in self._fields(selection, parent):
            value = data.get(node.alias.value if node.alias else node.name.value)
            if value is not None and node.selection_set is not None:
                total += self._value(node, kind, value)
        return total

    def _value(self, node: FieldNode, parent: GraphQLObjectType, value: Any) -> int:
        kind = get_named_type(parent.fields[node.name.value].type)
        assert node.selection_set is not None
        if is_leaf_type(kind) or kind.name == "PageInfo":
            return 0
        if parent is self._root and self._is_mutation:
            return MUTATION
        if kind.name.endswith("Connection"):
            # `nodes` below tells how many there are.
            return self._selection_of(node.selection_set, kind, value)
        if not isinstance(value, list):
            return 1 + self._selection_of(node.selection_set, kind, value)
        each = [1 + self._selection_of(node.selection_set, kind, row) for row in value if row is not None]
        return sized(len(each)) * max(each, default=0)


def _is_list(kind: Any) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)
