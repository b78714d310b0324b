"""A plan rests on rule sets that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from readingroom.app.founding import template
from readingroom.app.plans import RuleFiles
from readingroom.core.errors import BadInput

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
