"""A plan rests on rule sets that are there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from readingroom.access.checks import CHECKS
from readingroom.app.founding import template
from readingroom.app.plans import RuleFiles
from readingroom.core.errors import BadInput
from readingroom.releases.model import AdoptedPlan

PLAN = template("release-demo.yaml")


@pytest.mark.parametrize(("rules", "told"), [(None, "cannot be read"), ("rules: 1", "must be a list")])
def test_a_plan_whose_rule_set_is_missing_or_bad_is_refused_at_the_place_that_names_it(
    tmp_path: Path, rules: str | None, told: str
) -> None:
    if rules is not None:
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "base.yaml").write_text(rules)
    with pytest.raises(BadInput, match=told) as caught:
        RuleFiles(tmp_path).parse_plan(PLAN, "release.yaml")
    line = PLAN.splitlines().index("    screening: [rules/base.yaml]") + 1
    assert caught.value.problems[0].where == f"release.yaml:{line}:17"


def test_the_digest_of_a_stage_s_rules_follows_their_content(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    path = tmp_path / "rules" / "base.yaml"
    path.write_text(template("rules-base.yaml"))
    files = RuleFiles(tmp_path)
    stage = files.parse_plan(PLAN, "release.yaml").stages[1]
    before = files.screens(stage)
    path.write_text("rules: []")
    assert files.screens(stage) != before
    path.write_text(template("rules-base.yaml"))
    assert files.screens(stage) == before


def test_a_rule_that_only_flags_enforces_no_clause(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    files, path = RuleFiles(tmp_path), tmp_path / "rules" / "base.yaml"
    rule = '  - {id: "%s", side: exit, literal: ["%s"], action: %s, clause: "3.2"}\n'
    path.write_text("rules:\n" + rule % ("notes", "one", "flag"))
    plan = files.parse_plan(PLAN, "release.yaml")
    adopted = AdoptedPlan(
        1, plan, PLAN, "sha256:0", "release.yaml", "a test", datetime(2026, 1, 1, tzinfo=UTC), "operator"
    )
    assert "one that only flags" in CHECKS["screening"].look(files.in_force(adopted), "3.2").where
    path.write_text("rules:\n" + rule % ("notes", "one", "flag") + rule % ("stops", "two", "refuse"))
    found = CHECKS["screening"].look(files.in_force(adopted), "3.2")
    assert (found.holds, "stops" in found.where, "notes" in found.where) == (True, True, False)
