"""How the budget is divided."""

from __future__ import annotations

from readingroom.admissions.call import (
    BY_PERSON,
)
from readingroom.admissions.policies.base import Policy
from readingroom.admissions.policies.registry import POLICIES
from readingroom.core.document import Node


def policy(node: Node) -> Policy | None:
    """Read the allocation policy; None where a person decides."""
    if not node.is_mapping():
        node.fields(["policy"])
        return None
    name = node.fields(["policy"], None).get("policy")
    chosen = name.choice([*sorted(POLICIES), BY_PERSON]) if name else ""
    if chosen in POLICIES:
        return POLICIES[chosen](node)
    if chosen == BY_PERSON:
        node.fields(["policy"])
    return None
