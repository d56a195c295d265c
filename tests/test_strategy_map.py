"""The strategy map refuses what makes no sense."""

from __future__ import annotations

from typing import Any

import pytest
import synthetic_results

from sim.strategy_map import Link, StrategyMap, strategy_map_of


def settings(**link: Any) -> dict[str, Any]:
    fields = {"from": "skills", "to": "service", "sign": 1, "lag": 13, "confidence": "assumed",
              "flow": 0, "feedback": False}  # fmt: skip
    return {
        "label": "Small",
        "objectives": {
            "value": {"label": "Value", "perspective": "financial", "kpi": "revenue"},
            "customers": {"label": "Love", "perspective": "customer", "kpi": "trust"},
            "service": {"label": "Service", "perspective": "internal", "kpi": "execution"},
            "skills": {"label": "Skills", "perspective": "learning", "kpi": "human_readiness"},
        },
        "links": [fields | link],
    }


def test_a_small_map_is_read() -> None:
    small = strategy_map_of(settings())
    assert small.links == (Link("skills", "service", 1, 13, "assumed", 0, False),)
    assert [objective.key for objective in small.row("internal")] == ["service"]
    assert small.missing_flows == (1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"to": "servise"}, "did you mean 'service'"),
        ({"confidence": "asumed"}, "did you mean 'assumed'"),
        ({"sign": 0}, "says nothing"),
        ({"lag": -1}, "lag"),
        ({"flow": 7}, "flow"),
        ({"from": "value", "to": "skills"}, "runs down the map"),
        ({"from": "rivals", "to": "customers"}, "only flows 4"),
        ({"from": "customers", "to": "rivals", "flow": 4}, "flow 4 starts at"),
        ({"frm": "skills"}, "did you mean 'from'"),
    ],
)
def test_a_bad_link_is_refused(link: dict[str, Any], said: str) -> None:
    with pytest.raises((KeyError, ValueError), match=said):
        strategy_map_of(settings(**link))


def test_feedback_and_flows_may_run_down_the_map() -> None:
    strategy_map_of(settings(**{"from": "value", "to": "skills", "feedback": True}))
    strategy_map_of(settings(**{"from": "customers", "to": "service", "flow": 3}))


def test_an_unknown_indicator_is_refused_with_the_nearest() -> None:
    broken = settings()
    broken["objectives"]["value"]["kpi"] = "revenu"
    with pytest.raises(KeyError, match="did you mean 'revenue'"):
        strategy_map_of(broken)


def test_the_name_of_the_rivals_is_kept() -> None:
    broken = settings()
    broken["objectives"]["rivals"] = broken["objectives"]["value"]
    with pytest.raises(ValueError, match="kept for the rivals"):
        strategy_map_of(broken)


def test_a_map_without_objectives_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        StrategyMap("Empty", (), ())


@pytest.mark.parametrize("name", ["default", "association"])
def test_the_shipped_maps_draw_all_six_flows_and_leave_no_objective_alone(name: str) -> None:
    shipped = synthetic_results.strategy_map(name)
    assert shipped.missing_flows == ()
    linked = {key for link in shipped.links for key in (link.tail, link.head)}
    assert {objective.key for objective in shipped.objectives} <= linked
