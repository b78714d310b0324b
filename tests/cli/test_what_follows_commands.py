"""After the award at the terminal: a holder reports and gives back, the desk answers, others hear an appeal."""

from __future__ import annotations

from pathlib import Path

import pytest

from admissions.world import ANSWERS, call_text
from readingroom.admissions.model import Draft
from readingroom.app.house import House
from readingroom.core.settings import load
from readingroom.people.model import Role
from served import found, run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return found(tmp_path / "home")


def sign_in(home: Path, email: str, *roles: Role) -> None:
    house = House(load(home))
    operator = house.people.operator()
    house.people.add(operator, email, affiliation=email, roles=roles)
    link = house.people.make_link_for(operator, email)
    house.close()
    run(home, "login", f"/sign-in?link={link}")


def applied(home: Path, call: str, email: str) -> str:
    house = House(load(home))
    house.people.add(house.people.operator(), email, affiliation=email)
    who = house.people.actor(house.people.named(email).id)
    made = house.admissions.submit(who, house.admissions.start(who, call, Draft(ANSWERS, 10_000)).id)
    house.close()
    return made.id


def opened(home: Path, tmp_path: Path) -> str:
    half = {"first": "50%", "after": "report"}
    text = call_text(allocation={"policy": "by-person"}, review=None, tranches=half, second_chance=True)
    (tmp_path / "call.yaml").write_text(text)
    return str(run(home, "call", "open", str(tmp_path / "call.yaml"))["id"])


def test_a_holder_reports_and_gives_back_and_the_account_says_so(home: Path, tmp_path: Path) -> None:
    call = opened(home, tmp_path)
    made = applied(home, call, "wulfric@north.example")
    run(home, "application", "decide", made, "awarded", "--reason", "suitable")
    sign_in(home, "wulfric@north.example")
    (award,) = run(home, "award", "list")
    run(home, "award", "accept", award["id"])
    house = House(load(home))
    (grant,) = house.access.my_grants(house.people.actor(house.people.named("wulfric@north.example").id))
    house.close()
    assert run(home, "grant", "held", grant.id)["held"]["passes"] == 5_000
    told = ("--text", "half", "--found", "much", "--used", "prompts")
    request = run(home, "grant", "report", grant.id, *told)["id"]
    assert run(home, "award", "answer", request, "--passes", "1", code=1)["error"]["code"] == "people/not-allowed"
    assert run(home, "grant", "return", grant.id, "--passes", "2000")["allocation"]["passes"] == 3_000
    run(home, "logout")
    assert [each["id"] for each in run(home, "award", "requests")] == [request]
    answered = run(home, "award", "answer", request, "--passes", "4000", "--note", "Less.")
    assert (answered["state"], answered["given"]) == ("granted", 4_000)
    account = run(home, "call", "account", call)
    assert account["conserved"] is True
    assert account["units"]["passes"] == {
        "budget": 40_000, "granted": 7_000, "held": 0, "offered": 0, "lent": 0, "reserve": 4_000, "pool": 3_000,
        "rest": 26_000,
    }  # fmt: skip
    assert sum(each["passes"] for each in account["bar"]) == 40_000
    refused = run(home, "call", "second-chance", call, code=1)
    assert refused["error"]["code"] == "admissions/nobody-waits"
    renewed(home, tmp_path, call, grant.id)


def renewed(home: Path, tmp_path: Path, of: str, grant: str) -> None:
    """Let the holder ask for a renewal: what the house saw used is shown beside it, to them and to the desk."""
    small = {"budget": {"passes": 20_000}, "appeal_reserve": 0}
    by_person = {"allocation": {"policy": "by-person"}, "review": None}
    (tmp_path / "renewal.yaml").write_text(call_text(of=of, kind="renewal", **small, **by_person))
    made = applied(home, run(home, "call", "open", str(tmp_path / "renewal.yaml"))["id"], "wulfric@north.example")
    (seen,) = run(home, "application", "observed", made)["observed"]
    assert (seen["grant"], seen["allocation"]["passes"], seen["state"]) == (grant, 7_000, "active")
    sign_in(home, "wulfric@north.example")
    assert run(home, "application", "observed", made)["observed"] == [seen]


def test_an_appeal_is_heard_by_others_than_who_decided(home: Path, tmp_path: Path) -> None:
    call = opened(home, tmp_path)
    made = applied(home, call, "edith@abbey.example")
    run(home, "application", "decide", made, "refused", "--reason", "unclear", "--note", "Unclear.")
    sign_in(home, "edith@abbey.example")
    lodged = run(home, "appeal", "lodge", made, "--ground", "procedure", "--text", "A step was left out.")
    appeal = lodged["id"]
    assert [each["id"] for each in run(home, "appeal", "list", "--mine")] == [appeal]
    run(home, "logout")
    assert run(home, "appeal", "admit", appeal, code=1)["error"]["code"] == "admissions/appeal-not-yours", "it decided"
    for email in ("hild@whitby.example", "bede@jarrow.example"):
        sign_in(home, email, Role.PANEL)
        if email.startswith("hild"):
            run(home, "appeal", "admit", appeal)
        run(home, "appeal", "speak", appeal, "rejected", "--reason", "It was done.")
    done = run(home, "appeal", "conclude", appeal, "--note", "It was done, on page two.")
    assert (done["state"], done["passes"]) == ("rejected", 0)
    run(home, "logout")
