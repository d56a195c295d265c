"""Settings: what is written is what the run gets, and whatever cannot be used is refused."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

from experiments import designs
from experiments.settings import Settings, SettingsError, listing, load, shipped_dir
from experiments.settings_files import read_yaml
from sim.flows import Flow
from sim.physics import Physics

SCENARIOS = ("attenzi", "village", "association")
CONFIGS = sorted(shipped_dir().rglob("*.yaml"))
TESTED = "village"


@lru_cache
def shipped(name: str) -> Settings:
    """A scenario as it is shipped, composed once."""
    return load([f"scenario={name}"])


@pytest.fixture(scope="module")
def attenzi() -> Settings:
    return load()


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return folder


def refusal(*overrides: str, config_dir: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load([f"scenario={TESTED}", *overrides], config_dir)
    assert "append" not in str(caught.value).lower()
    return str(caught.value)


# what is shipped


def test_the_default_compares_twelve_portfolios_thirty_times(attenzi: Settings) -> None:
    keys = [portfolio.key for portfolio in attenzi.study.portfolios]
    assert attenzi.study.key == "compare"
    assert keys[0] == attenzi.study.baseline == "as_is"
    assert len(keys) == 12
    assert {"listening_first", "advertising_only", "balanced_transformation"} < set(keys)
    single = [p for p in attenzi.study.portfolios if len(p.items) == 1]
    assert len([p for p in single if p.key != "advertising_only"]) == 8
    assert attenzi.study.replications == 30
    assert attenzi.scenario.quarters == 12


def test_attenzi_has_the_market_it_promises(attenzi: Settings) -> None:
    scenario = attenzi.scenario
    assert sum(kind.count for kind in scenario.stakeholders) == 10_000
    assert len(scenario.stakeholders) == 8
    assert len(scenario.firms) == 3
    assert all(len(firm.departments) == 10 for firm in scenario.firms)
    heard = 0.0
    for layer in scenario.layers:
        listeners = layer.listeners or [kind.key for kind in scenario.stakeholders]
        share = sum(k.count for k in scenario.stakeholders if k.key in listeners) / 10_000
        heard += layer.degree * share
    assert 15 <= heard <= 18.5


def test_attenzi_sells_for_400_million_a_year_at_a_margin_near_five_percent(
    attenzi: Settings,
) -> None:
    firm = attenzi.scenario.firms[0]
    revenue = 13 * sum(
        kind.count * kind.tied["attenzi"] * kind.price * kind.units
        for kind in attenzi.scenario.stakeholders
        if kind.customer
    )
    programmes = sum(programme.effort for programme in firm.programmes.values())
    profit = revenue * (1 - firm.variable_cost) - programmes - 13 * firm.fixed_cost
    assert 4 * revenue == pytest.approx(400_000, rel=0.01)
    assert 0.04 < profit / revenue < 0.065


@pytest.mark.parametrize("name", SCENARIOS)
def test_todays_investment_keeps_every_stock_steady(name: str) -> None:
    for firm in shipped(name).scenario.firms:
        for capital in firm.capital.values():
            worn = capital.stock * capital.depreciation / 4
            assert capital.investment == pytest.approx(worn, rel=1e-4)


@pytest.mark.parametrize("name", SCENARIOS)
def test_todays_programmes_are_mature_and_fit_the_budget(name: str) -> None:
    settings = shipped(name)
    for firm in settings.scenario.firms:
        assert firm.programmes
        assert all(p.maturity == 1 and p.effort > 0 for p in firm.programmes.values())
    firm = settings.scenario.firms[0]
    today = sum(p.effort for p in firm.programmes.values())
    today += sum(c.investment for c in firm.capital.values())
    for arm in designs.arms(settings.study, settings.scenario):
        setups = sum(
            designs.setup_due(settings.scenario, mechanism)
            for mechanism, effort in zip(settings.scenario.mechanisms, arm.plan.effort, strict=True)
            if effort.any()
        )
        most = (arm.plan.effort.sum(axis=0) + arm.plan.investment.sum(axis=0)).max()
        assert today + most + setups < firm.policy.budget


@pytest.mark.parametrize("name", SCENARIOS)
def test_all_portfolios_but_the_baseline_cost_the_same(name: str) -> None:
    settings = shipped(name)
    for arm in designs.arms(settings.study, settings.scenario):
        cost = designs.planned_present_value(arm.plan, settings.scenario)
        expected = 0.0 if arm.key == "as_is" else settings.study.planned_cost
        assert cost == pytest.approx(expected, rel=1e-3)


def test_every_shipped_portfolio_can_be_planned_in_every_scenario() -> None:
    shelf = sorted(file.stem for file in (shipped_dir() / "portfolio").glob("*.yaml"))
    for name in SCENARIOS:
        chosen = load([f"scenario={name}", f"portfolios=[{','.join(shelf)}]"])
        assert [p.key for p in chosen.study.portfolios] == shelf


def test_every_flow_has_a_mechanism_and_a_single_portfolio(attenzi: Settings) -> None:
    mechanisms = {m.key: m for m in attenzi.scenario.mechanisms}
    assert len(mechanisms) >= 20
    assert {flow for m in mechanisms.values() for flow in m.flows} == {int(f) for f in Flow}
    singles = [p.items[0].mechanism for p in attenzi.study.portfolios if len(p.items) == 1]
    assert {flow for key in singles for flow in mechanisms[key].flows} == {int(f) for f in Flow}


def test_the_two_firms_of_the_village_differ_only_in_name() -> None:
    ours, theirs = shipped(TESTED).scenario.firms
    differing = [
        name for name in type(ours).__dataclass_fields__
        if getattr(ours, name) != getattr(theirs, name)
    ]  # fmt: skip
    assert differing == ["key", "label"]
    for kind in shipped(TESTED).scenario.stakeholders:
        assert kind.tied.get(ours.key) == kind.tied.get(theirs.key)


def test_nothing_is_sold_in_the_association_but_dues() -> None:
    scenario = shipped("association").scenario
    supporters = next(k for k in scenario.stakeholders if k.key == "supporters")
    assert supporters.customer
    assert supporters.price == 0
    assert all(firm.fixed_income > 0 for firm in scenario.firms)
    assert shipped("association").study.headline == (
        "market_share", "trust", "retention", "net_sentiment",
    )  # fmt: skip


def test_every_coefficient_of_the_laws_has_a_shipped_value() -> None:
    written = read_yaml(shipped_dir() / "physics" / "defaults.yaml").content
    assert list(written) == list(Physics.__dataclass_fields__) or set(written) == set(
        Physics.__dataclass_fields__
    )


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_every_shipped_number_names_its_source_or_that_it_is_assumed(file: Path) -> None:
    written = read_yaml(file)
    head = file.read_text(encoding="utf-8").split("\n\n")[0]
    if file.parent.name in ("scorecard", "strategy_map") and "assumption" in head:
        return
    source = re.compile(r"assumption|calibrated|convention|unused|steady|MODEL A|\((19|20)\d\d\)"
                        r"|Keller|Nielsen|growth of the industry")  # fmt: skip
    for path, value in leaves(written.content):
        # Levels and names are not numbers of the world; the flows are labels.
        if isinstance(value, bool) or not isinstance(value, int | float) or ".flows." in f".{path}":
            continue
        owner = path if path in written.comments else re.sub(r"\.\d+(\.\w+)?$", "", path)
        comment = written.comments.get(owner) or line_comment(file, written.lines.get(path))
        assert comment, f"{path} has no comment"
        assert source.search(comment), f"{path}: {comment}"


def leaves(node: object, path: str = "") -> list[tuple[str, object]]:
    if isinstance(node, dict):
        pairs = [(f"{path}.{k}" if path else str(k), v) for k, v in node.items()]
    elif isinstance(node, list):
        pairs = [(f"{path}.{i}", v) for i, v in enumerate(node)]
    else:
        return [(path, node)]
    return [leaf for key, value in pairs for leaf in leaves(value, key)]


def line_comment(file: Path, line: int | None) -> str:
    text = file.read_text(encoding="utf-8").splitlines()[line - 1] if line else ""
    return text.partition("#")[2]


# what is written is what the run gets


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_an_experiment_writes_is_what_the_run_gets(name: str, tmp_path: Path) -> None:
    write(tmp_path, "experiment/mine.yaml", f"""# @package _global_
defaults:
  - compare
  - override /scenario: {name}
  - _self_
experiment:
  key: mine
quarters: 20
replications: 7
seed: 5
planned_cost: 5000
portfolios: [as_is, listening_first]
headline: [trust]
twins: none
lanes: 3
physics:
  anchor: 0.5
mechanism:
  social_listening:
    half_life: 99
organization:
  programmes:
    fast_service:
      effort: 1.5
finance:
  discount_rate: 0.2
""")  # fmt: skip
    made = load(["experiment=mine"], tmp_path)
    study, scenario = made.study, made.scenario
    assert (study.key, study.replications, study.seed) == ("mine", 7, 5)
    assert (study.planned_cost, study.headline, study.twins) == (5000, ("trust",), "none")
    assert study.lanes == 3
    assert [p.key for p in study.portfolios] == ["as_is", "listening_first"]
    assert (scenario.key, scenario.quarters) == (name, 20)
    assert scenario.physics.anchor == 0.5
    assert scenario.mechanisms[scenario.mechanism("social_listening")].half_life == 99
    assert scenario.firms[0].programmes["fast_service"].effort == 1.5
    assert scenario.finance.discount_rate == 0.2
    assert made.resolved["quarters"] == 20


def test_an_override_wins_over_the_experiment(tmp_path: Path) -> None:
    write(tmp_path, "experiment/mine.yaml", """# @package _global_
defaults:
  - compare
  - _self_
quarters: 20
""")  # fmt: skip
    assert load(["experiment=mine"], tmp_path).scenario.quarters == 20
    assert load(["experiment=mine", "quarters=6"], tmp_path).scenario.quarters == 6
    assert load(["quarters=6", "experiment=mine"], tmp_path).scenario.quarters == 6


@pytest.mark.parametrize(
    "override", ["quarters=20", "seed=9", "replications=3", "twins=all", "planned_cost=400"]
)
def test_an_override_reaches_the_run(override: str) -> None:
    made = load([f"scenario={TESTED}", override])
    key, _, value = override.partition("=")
    got = made.scenario.quarters if key == "quarters" else getattr(made.study, key)
    assert str(got).removesuffix(".0") == value


def test_overrides_reach_into_every_group() -> None:
    made = load([
        f"scenario={TESTED}", "stakeholders.households.count=50", "network.strong.degree=6",
        "organization.levers.coverage=0.3", "competitors.river_street.policy.name=reactive",
        "organization.programmes.co_design={effort: 5, maturity: 0.1}",
        "mechanism.co_design.effects.absorption.by=0.25", "physics.confidence=1",
        "stakeholders.households.tied={mill_lane: 0.2}",
        "mechanism.co_design.effects.talk_rate.to=[employees]",
    ]).scenario  # fmt: skip
    assert made.stakeholders[0].count == 50
    assert made.layers[0].degree == 6
    assert made.firms[0].levers["coverage"] == 0.3
    assert made.firms[1].policy.name == "reactive"
    assert made.firms[0].programmes["co_design"].effort == 5
    effects = {e.lever: e for e in made.mechanisms[made.mechanism("co_design")].effects}
    assert effects["absorption"].by == 0.25
    assert effects["talk_rate"].to == ("employees",)
    assert made.physics.confidence == 1
    assert made.stakeholders[0].tied == {"mill_lane": 0.2, "river_street": 0.45}


def test_a_group_can_be_exchanged_within_a_scenario() -> None:
    made = load(["scenario=attenzi", "finance=association"])
    assert made.scenario.key == "attenzi"
    assert made.scenario.finance.discount_rate == 0.05


def test_the_baseline_leads_if_it_is_not_named() -> None:
    made = load([f"scenario={TESTED}", "portfolios=[listening_first]"])
    assert [p.key for p in made.study.portfolios] == ["as_is", "listening_first"]


def test_run_asks_about_one_portfolio() -> None:
    made = load([f"scenario={TESTED}", "experiment=run"])
    assert [p.key for p in made.study.portfolios] == ["as_is", "listening_first"]


def test_costs_are_scaled_to_the_scenario_and_audiences_are_its_own_types() -> None:
    full, small = shipped("attenzi").scenario, shipped(TESTED).scenario
    at, here = full.mechanism("brand_advertising"), small.mechanism("brand_advertising")
    scale = shipped(TESTED).resolved["scenario"]["cost_scale"]
    assert small.mechanisms[here].running == pytest.approx(full.mechanisms[at].running * scale)
    assert small.mechanisms[here].effects[0].to == ("households", "neighbours")
    assert small.mechanisms[here].owner == "counter"
    everybody = full.mechanisms[full.mechanism("product_excellence")].effects[0]
    assert everybody.to == ()


@pytest.mark.parametrize("written", ["talk_rate: {by: 0.5}", "talk_rate: {to: all, by: 0.5}"])
def test_a_mechanism_that_does_not_say_whom_it_acts_on_acts_on_all(
    written: str, tmp_path: Path
) -> None:
    text = OWN_MECHANISM.replace("talk_rate: {to: [customers], by: 0.5}", written)
    write(tmp_path, "mechanism/kitchen_theatre.yaml", text)
    made = load([f"scenario={TESTED}"], tmp_path).scenario
    assert made.mechanisms[made.mechanism("kitchen_theatre")].effects[0].to == ()


def test_a_mechanism_that_acts_on_nobody_is_left_out_and_cannot_be_funded(tmp_path: Path) -> None:
    text = OWN_MECHANISM.replace("to: [customers]", "to: [channel]")
    write(tmp_path, "mechanism/kitchen_theatre.yaml", text)
    keys = [m.key for m in load([f"scenario={TESTED}"], tmp_path).scenario.mechanisms]
    assert "kitchen_theatre" not in keys
    funded = "organization.programmes.kitchen_theatre={effort: 1, maturity: 1}"
    said = refusal(funded, config_dir=tmp_path)
    assert "organization.programmes.kitchen_theatre" in said


OWN_SIDES = """code: T1
volume: 50
reach: tied
side_effects:
  strain: {to: [suppliers, employees], by: 1.0, above: 0.2}
  credibility: {to: [channel], by: -0.5}
acceptability: {tag: spin, breach: 0.5, trust_cost: 0.3, to: [customers, public]}
"""


def test_what_a_mechanism_does_beside_is_done_to_the_types_of_the_scenario(tmp_path: Path) -> None:
    write(tmp_path, "mechanism/kitchen_theatre.yaml", OWN_MECHANISM + OWN_SIDES)
    made = load([f"scenario={TESTED}"], tmp_path)
    theatre = made.scenario.mechanisms[made.scenario.mechanism("kitchen_theatre")]
    assert (theatre.code, theatre.reach) == ("T1", "tied")
    assert theatre.volume == pytest.approx(50 * made.resolved["scenario"]["cost_scale"])
    assert [(e.lever, e.to, e.above) for e in theatre.side_effects] == [
        ("strain", ("employees",), 0.2)
    ]
    assert theatre.acceptability.to == ("households", "neighbours")
    assert (theatre.acceptability.breach, theatre.acceptability.delay) == (0.5, 4)
    plain = made.scenario.mechanisms[made.scenario.mechanism("transparency")]
    assert (plain.volume, plain.acceptability.tag, plain.side_effects) == (0, "none", ())


def test_breaches_that_concern_nobody_here_do_not_happen_and_volume_for_nobody_is_free(
    tmp_path: Path,
) -> None:
    effects = "talk_rate: {to: [channel], by: 0.5}\n  routing: {by: 0.1}"
    text = OWN_MECHANISM.replace("talk_rate: {to: [customers], by: 0.5}", effects)
    sides = OWN_SIDES.replace("to: [customers, public]", "to: [media]")
    write(tmp_path, "mechanism/kitchen_theatre.yaml", text + sides)
    made = load([f"scenario={TESTED}"], tmp_path).scenario
    theatre = made.mechanisms[made.mechanism("kitchen_theatre")]
    assert [e.lever for e in theatre.effects] == ["routing"]
    assert (theatre.volume, theatre.reach) == (0, "all")
    assert (theatre.acceptability.tag, theatre.acceptability.breach) == ("spin", 0)


def test_the_resolved_settings_are_plain_data_that_yaml_can_keep(attenzi: Settings) -> None:
    again = yaml.safe_load(yaml.safe_dump(attenzi.resolved))
    assert again == attenzi.resolved
    assert again["quarters"] == 12


# one's own folder


OWN_MECHANISM = """label: Kitchen theatre
description: Cooks cook in public.
flows: [2]
owner: marketing
needs: {human: 1.0}
setup: 10
running: 100
half_life: 13
maturity: exponential
dip: 0
effects:
  talk_rate: {to: [customers], by: 0.5}
"""
OWN_PORTFOLIO = """label: Theatre
description: Only theatre.
items:
  - {mechanism: kitchen_theatre, share: 1.0}
capital: {}
"""


def test_one_yaml_adds_a_mechanism_and_one_a_portfolio(tmp_path: Path) -> None:
    write(tmp_path, "mechanism/kitchen_theatre.yaml", OWN_MECHANISM)
    write(tmp_path, "portfolio/theatre.yaml", OWN_PORTFOLIO)
    made = load([f"scenario={TESTED}", "portfolios=[theatre]"], tmp_path)
    row = made.scenario.mechanism("kitchen_theatre")
    assert made.scenario.mechanisms[row].effects[0].to == ("households",)
    assert designs.arms(made.study, made.scenario)[1].plan.effort[row].all()


def test_an_own_group_can_be_chosen(tmp_path: Path) -> None:
    write(
        tmp_path,
        "finance/cheap.yaml",
        "discount_rate: 0.01\nmarket_growth: 0\ncost_growth: 0\nstart_cash: 1\n",
    )
    assert load([f"scenario={TESTED}", "finance=cheap"], tmp_path).scenario.finance.start_cash == 1


def test_numbers_may_be_written_with_an_exponent(tmp_path: Path) -> None:
    text = OWN_MECHANISM.replace("running: 100", "running: 1e2")
    write(tmp_path, "mechanism/kitchen_theatre.yaml", text)
    made = load(["scenario=attenzi"], tmp_path).scenario
    assert made.mechanisms[made.mechanism("kitchen_theatre")].running == 100


def test_an_own_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "Enzo's own, [1] = x"
    write(
        folder,
        "finance/cheap.yaml",
        "discount_rate: 0\nmarket_growth: 0\ncost_growth: 0\nstart_cash: 1\n",
    )
    made = load([f"scenario={TESTED}", "finance=cheap"], folder)
    assert made.scenario.finance.discount_rate == 0


def test_an_own_file_may_not_hide_a_shipped_one(tmp_path: Path) -> None:
    write(tmp_path, "physics/defaults.yaml", "anchor: 1\n")
    assert "shipped already" in refusal(config_dir=tmp_path)


def test_a_folder_that_is_no_group_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "mechanisms/mine.yaml", OWN_MECHANISM)
    assert "did you mean 'mechanism'" in refusal(config_dir=tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "no such folder" in refusal(config_dir=tmp_path / "nowhere")


# refused before anything runs


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("physics.ancor=0.1", r"physics\.ancor=0\.1.*unknown.*did you mean 'anchor'"),
        ("quaters=20", r"quaters=20.*did you mean 'quarters'"),
        ("physics.anchor=banana", r"physics\.anchor='banana' must be a finite number"),
        ("physics.anchor=nan", r"physics\.anchor=nan must be a finite number"),
        ("physics.anchor=null", r"physics\.anchor=None must be a finite number"),
        ("physics.anchor=50", r"physics\.anchor=50.*from 0 to 10.*1/week"),
        ("physics.patience=1.5", r"physics\.patience=1\.5 must be a whole number"),
        ("physics.patience=true", r"physics\.patience=True must be a whole number"),
        ("physics.experience_in_flow=1", r"experience_in_flow=1 must be true or false"),
        ("quarters=0", r"quarters=0 is out of range.*from 1 to 80 quarters"),
        ("quarters=", r"quarters='' must be a whole number"),
        ("scenario=vilage", r"scenario=vilage.*did you mean 'village'"),
        ("physics=default", r"physics=default.*did you mean 'defaults'"),
        ("experiment=comparison", r"experiment=comparison.*did you mean 'compare'"),
        ("portfolios=[as_is,lisening_first]", r"portfolios.*did you mean 'listening_first'"),
        ("portfolios=as_is", r"portfolios='as_is' must be a list"),
        ("portfolios=all", r"portfolios='all' must be a list"),
        ("mechanism.co_design.effects.talk_rate.to=customers", r"to='customers' must be a list"),
        ("mechanism.idea_process.effects.routing.to=[employees]", r"routing.*whole firm"),
        ("baseline=as_was", r"baseline='as_was' is unknown"),
        ("headline=[trusst]", r"headline.*did you mean 'trust'"),
        ("portfolio=as_is", r"choose with portfolios=\[name, \.\.\.\]"),
        ("mechanism=co_design", r"every mechanism on the shelf is loaded"),
        ("+foo=1", r"'\+foo=1'.*never added"),
        ("++physics.anchor=1", r"never added: write physics\.anchor=value"),
        ("~physics.anchor", r"cannot be removed"),
        ("physics._target_=os.system", r"plain data"),
        ("scenario.label=${oc.env:HOME}", r"plain data"),
        ("hydra.run.dir=x", r"unknown setting 'hydra'"),
        ("finance@other=defaults", r"no name of a setting"),
        ("quarters", r"not of the form key=value"),
        ("quarters=4,5", r"one value is needed"),
        ("portfolios=[a", r"cannot be read"),
        ("physics.anchor.more=1", r"physics\.anchor is a single value"),
        ("stakeholders.housholds.count=5", r"stakeholders\.housholds.*missing"),
        ("stakeholders.households.tied.mil_lane=0.1", r"tied.*did you mean 'mill_lane'"),
        ("stakeholders.households.tied.mill_lane=0.9", r"stakeholders\.households: tied"),
        ("network.strong.speakers=[employes]", r"network\.strong\.speakers.*mean 'employees'"),
        ("physics.anchor='0.1'", r"physics\.anchor='0\.1' must be a finite number"),
        ("network.strong.generator=smal_world", r"generator.*did you mean 'small_world'"),
        ("organization.policy.name=pasive", r"policy\.name.*did you mean 'passive'"),
        ("organization.levers.covrage=0.1", r"organization: .*did you mean 'coverage'"),
        ("organization.levers.coverage=2", r"organization: levers\.coverage=2.*\[0, 1\]"),
        ("organization.programmes.co_desing.effort=1", r"co_desing.*missing"),
        ("organization.programmes.co_desing={effort: 1, maturity: 1}", r"mean 'co_design'"),
        ("organization.policy.lag=0", r"organization\.policy\.lag=0.*from 1 to 8"),
        ("mechanism.co_design.effects.absorbtion={by: 0.1}", r"mean 'absorption'"),
        ("mechanism.co_design.effects.absorption.by=3", r"mechanism\.co_design\.effects\.absor"),
        ("mechanism.co_design.effects.talk_rate.to=[custmers]", r"did you mean 'customers'"),
        ("mechanism.co_design.owner=bakry", r"mechanism\.co_design\.owner.*mean 'bakery'"),
        ("mechanism.co_design.maturity=linear", r"mechanism\.co_design.*exponential"),
        ("mechanism.co_design.needs.human=0.9", r"mechanism\.co_design: needs.*sum to 1"),
        ("mechanism.co_design.flows=[7]", r"mechanism\.co_design: flows"),
        ("mechanism.co_design.code=m18", r"mechanism\.co_design: code='m18' must be a capital"),
        ("mechanism.co_design.volume=-1", r"co_design\.volume=-1 is out of range.*at least 0"),
        ("mechanism.co_design.reach=tied", r"mechanism\.co_design: reach='tied' is not read"),
        ("mechanism.co_design.reech=tied", r"unknown setting 'reech'.*did you mean 'reach'"),
        ("mechanism.co_design.effects.talk_rate.above=1", r"talk_rate\.above=1 is.*0 to 0\.99"),
        (
            "mechanism.referral_programme.side_effects.contact.to=[custmers]",
            r"side_effects\.contact\.to='custmers'.*did you mean 'customers'",
        ),
        ("mechanism.co_design.side_effects.strian={by: 1}", r"strian.*did you mean 'strain'"),
        ("mechanism.co_design.acceptability={tag: span}", r"acceptability.*did you mean 'spin'"),
        (
            "mechanism.co_design.acceptability={tag: none, breach: 1, trust_cost: 1}",
            r"mechanism\.co_design\.acceptability: breach=1: with tag 'none'",
        ),
        (
            "mechanism.meeting_capture.acceptability.breach=-1",
            r"meeting_capture\.acceptability\.breach=-1 is out of range.*1/quarter",
        ),
        (
            "mechanism.meeting_capture.acceptability.to=[employes]",
            r"acceptability\.to='employes'.*did you mean 'employees'",
        ),
        ("mechanism.meeting_capture.acceptability.breech=1", r"did you mean 'breach'"),
        ("portfolio.co_design.items=[{mechanism: co_desing, share: 0.85}]", r"mean 'co_design'"),
        ("portfolio.co_design.capital.human=0.5", r"portfolio\.co_design.*sum to 1"),
        ("planned_cost=0.1", r"portfolio\..*set-up"),
        ("audiences.customers=[houses]", r"audiences\.customers.*did you mean 'households'"),
        ("owners.strategie=office", r"owners\.strategie.*did you mean 'strategy'"),
        ("scorecard.targets.trust.goal=high", r"scorecard\.targets\.trust\.goal='high'"),
        ("strategy_map.links=[{from: skills}]", r"strategy_map.*missing"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(override: str, said: str) -> None:
    assert re.search(said, refusal(override), re.DOTALL), refusal(override)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("physics/mine.yaml", "", r"mine\.yaml: the file is empty"),
        ("physics/mine.yaml", "# nothing\n", r"mine\.yaml: the file is empty"),
        ("physics/mine.yaml", "- a\n", r"mine\.yaml, line 1: it must hold"),
        ("physics/mine.yaml", "a: 1\nb: [1\nc: 2\n", r"mine\.yaml, line \d: malformed yaml"),
        ("physics/mine.yaml", "a: 1\n\tb: 2\n", r"mine\.yaml, line 2: malformed yaml"),
        ("physics/mine.yaml", "a: 1\nb: 2\na: 3\n", r"line 3: a is written twice .*line 1"),
        ("physics/mine.yaml", "a:\n  b: 1\n  b: 2\n", r"line 3: a\.b is written twice"),
        ("physics/mine.yaml", "_target_: os.system\n", r"line 1: _target_: .*plain data"),
        ("physics/mine.yaml", "a:\n  _args_: []\n", r"line 2: a\._args_: .*plain data"),
        ("physics/mine.yaml", "a: ${oc.env:HOME}\n", r"line 1: a: .*plain data"),
        ("physics/mine.yaml", "a: !!python/object:os.x {}\n", r"malformed yaml|plain data"),
        ("physics/mine.yaml", "a: &x [*x]\n", r"mine\.yaml: malformed yaml: a value holds itself"),
        ("physics/mine.yml", "a: 1\n", r"must end in \.yaml"),
    ],
)
def test_a_malformed_file_is_refused_with_file_and_line(
    name: str, text: str, said: str, tmp_path: Path
) -> None:
    write(tmp_path, name, text)
    assert re.search(said, refusal(config_dir=tmp_path)), refusal(config_dir=tmp_path)


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "physics").mkdir()
    (tmp_path / "physics" / "mine.yaml").write_bytes("a: 1\nb: 2 # Straße\n".encode("latin-1"))
    assert "mine.yaml, line 2: it must be saved as UTF-8" in refusal(config_dir=tmp_path)


def test_a_mark_of_byte_order_is_no_part_of_the_first_setting(tmp_path: Path) -> None:
    text = "discount_rate: 0\nmarket_growth: 0\ncost_growth: 0\nstart_cash: 7\n"
    (tmp_path / "finance").mkdir()
    (tmp_path / "finance" / "cheap.yaml").write_bytes(text.encode("utf-8-sig"))
    made = load([f"scenario={TESTED}", "finance=cheap"], tmp_path)
    assert made.scenario.finance.start_cash == 7


def test_a_folder_without_settings_is_refused(tmp_path: Path) -> None:
    assert "there are no settings in it" in refusal(config_dir=tmp_path)


def own_experiment(folder: Path, text: str) -> Path:
    head = "# @package _global_\ndefaults:\n  - compare\n  - _self_\n"
    return write(folder, "experiment/mine.yaml", head + text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("quaters: 20\n", r"mine\.yaml, line 5: quaters: unknown.*did you mean 'quarters'"),
        ("physics:\n  ancor: 1\n", r"mine\.yaml, line 6: physics\.ancor.*mean 'anchor'"),
        ("physics:\n  anchor: 99\n", r"mine\.yaml, line 6: physics\.anchor=99 is out of range"),
        ("quarters: many\n", r"mine\.yaml, line 5: quarters='many' must be a whole number"),
        ("portfolios: [as_was]\n", r"mine\.yaml, line 5: portfolios.*'as_was' is unknown"),
        ("owners:\n  strategy: offise\n", r"line 6: owners\.strategy='offise' \(as department"),
        ("audiences:\n  customers: [houses]\n", r"mine\.yaml, line 6: audiences\.customers"),
        ("headline: [trusst]\n", r"mine\.yaml, line 5: headline.*did you mean 'trust'"),
        ("organization:\n  levers: {covrage: 1}\n", r"line 5: organization: .*'coverage'"),
        ("organization:\n  policy: {strength: 2}\n", r"line 6: organization\.policy\.strength"),
        ("network:\n  strong: {spread: 2}\n", r"line 6: network\.strong\.spread"),
        ("planned_cost: 0.1\n", r"portfolio\..*set-up"),
    ],
)
def test_a_wrong_setting_in_a_file_is_refused_with_file_and_line(
    text: str, said: str, tmp_path: Path
) -> None:
    own_experiment(tmp_path, text)
    assert re.search(said, refusal("experiment=mine", config_dir=tmp_path), re.DOTALL), refusal(
        "experiment=mine", config_dir=tmp_path
    )


def test_a_setting_missing_in_a_file_is_refused_with_the_file(tmp_path: Path) -> None:
    write(tmp_path, "mechanism/theatre.yaml", OWN_MECHANISM.replace("running: 100\n", ""))
    said = refusal(config_dir=tmp_path)
    assert said.startswith(f"{tmp_path / 'mechanism' / 'theatre.yaml'}: mechanism.theatre.running")
    assert "is missing" in said


def test_a_setting_missing_inside_a_file_is_refused_with_the_line_above(tmp_path: Path) -> None:
    text = OWN_MECHANISM.replace("{to: [customers], by: 0.5}", "{to: [customers]}")
    write(tmp_path, "mechanism/theatre.yaml", text)
    assert "theatre.yaml, line 12: mechanism.theatre.effects.talk_rate.by" in refusal(
        config_dir=tmp_path
    )


def test_a_scenario_without_a_setting_of_the_whole_is_refused_with_its_file(
    tmp_path: Path,
) -> None:
    text = (shipped_dir() / "scenario" / "village.yaml").read_text(encoding="utf-8")
    without = "".join(line for line in text.splitlines(True) if not line.startswith("planned_cost"))
    write(tmp_path, "scenario/mine.yaml", without)
    said = refusal("scenario=mine", config_dir=tmp_path)
    assert said.startswith(f"{tmp_path / 'scenario' / 'mine.yaml'}: planned_cost is missing")


def test_an_owner_may_be_what_the_scenario_translates_or_one_of_its_departments(
    tmp_path: Path,
) -> None:
    write(
        tmp_path, "mechanism/theatre.yaml", OWN_MECHANISM.replace("owner: marketing", "owner: bak")
    )
    said = refusal(config_dir=tmp_path)
    assert "theatre.yaml, line 4: mechanism.theatre.owner='bak'" in said
    assert "did you mean 'bakery'" in said
    for owner, runs_it in (("customer_service", "counter"), ("bakery", "bakery")):
        text = OWN_MECHANISM.replace("owner: marketing", f"owner: {owner}")
        write(tmp_path, "mechanism/theatre.yaml", text)
        made = load([f"scenario={TESTED}"], tmp_path).scenario
        assert made.mechanisms[made.mechanism("theatre")].owner == runs_it


def test_what_the_command_line_says_is_not_blamed_on_a_file() -> None:
    for override in (
        "physics.anchor=50",
        "organization.levers.covrage=0.1",
        "mechanism.co_design.needs.human=0.9",
        "stakeholders.housholds.count=5",
    ):
        assert ".yaml" not in refusal(override)


def test_a_name_that_begins_something_new_is_told_the_nearest() -> None:
    assert "did you mean 'households'" in refusal("stakeholders.housholds.count=5")
    assert "did you mean 'co_design'" in refusal("mechanism.co_desing.setup=5")


def test_a_member_of_a_list_on_the_shelf_is_changed_by_its_place() -> None:
    made = load([
        f"scenario={TESTED}", "portfolios=[co_design]",
        "portfolio.co_design.items.0.start=3", "portfolio.co_design.items.0.ramp=1",
    ])  # fmt: skip
    item = made.study.portfolios[1].items[0]
    assert (item.mechanism, item.start, item.ramp) == ("co_design", 3, 1)
    assert "there are 1, counted from 0" in refusal("portfolio.co_design.items.4.start=3")


def test_of_many_allowed_names_the_nearest_are_said() -> None:
    for override in ("organization.levers.covrage=0.1", "headline=[trusst]", "portfolios=[co_des]"):
        listed = refusal(override).partition("(allowed: ")[2]
        assert len(listed.split(" ... ")[0].split(", ")) == 4
        assert " in all" in listed


def test_an_experiment_without_its_first_line_is_told_so(tmp_path: Path) -> None:
    write(tmp_path, "experiment/mine.yaml", "defaults:\n  - compare\n  - _self_\nquarters: 20\n")
    said = refusal("experiment=mine", config_dir=tmp_path)
    assert "mine.yaml must begin with the line '# @package _global_'" in said


@pytest.mark.parametrize("first", ["", "# a bakery\n", "# @package scenario\n"])
def test_a_scenario_without_its_first_line_is_told_so(first: str, tmp_path: Path) -> None:
    write(tmp_path, "scenario/mine.yaml", f"{first}defaults:\n  - village\n  - _self_\n")
    for asked in ("scenario=mine", "seed=2"):
        said = refusal(asked, config_dir=tmp_path)
        assert "mine.yaml must begin with the line '# @package _global_'" in said


def test_blank_lines_may_stand_above_the_first_line_but_no_comment(tmp_path: Path) -> None:
    text = "# @package _global_\ndefaults:\n  - village\n  - _self_\nquarters: 3\n"
    write(tmp_path, "scenario/mine.yaml", f"\n\n{text}")
    assert load(["scenario=mine", "portfolios=[as_is]"], tmp_path).scenario.quarters == 3
    write(tmp_path, "scenario/mine.yaml", f"# Ours.\n{text}")
    assert "must begin with the line" in refusal("scenario=mine", config_dir=tmp_path)


def test_a_scenario_whose_defaults_leave_a_group_out_is_told_which(tmp_path: Path) -> None:
    whole = (shipped_dir() / "scenario" / "village.yaml").read_text(encoding="utf-8")
    for group in ("organization", "network", "finance", "strategy_map"):
        write(tmp_path, "scenario/mine.yaml", re.sub(rf"  - /{group}: \w+\n", "", whole))
        said = refusal("scenario=mine", config_dir=tmp_path)
        assert f"mine.yaml: its defaults choose no {group}: below 'defaults:' write" in said
        assert f"'- /{group}: NAME'" in said
        assert "village" in said.partition(f"for {group}: ")[2] or group == "strategy_map"
    write(tmp_path, "scenario/mine.yaml", "# @package _global_\nquarters: 3\n")
    said = refusal("scenario=mine", config_dir=tmp_path)
    assert "choose no organization and no stakeholders and no network" in said


def test_a_group_in_a_scenarios_defaults_needs_its_slash(tmp_path: Path) -> None:
    whole = (shipped_dir() / "scenario" / "village.yaml").read_text(encoding="utf-8")
    write(tmp_path, "scenario/mine.yaml", whole.replace("- /network:", "- network:"))
    said = refusal("scenario=mine", config_dir=tmp_path)
    assert "put a slash in front, '- /network: village'" in said


@pytest.mark.parametrize("name", ["Our-Plan", "my.plan", "ä", "a" * 65])
def test_a_file_whose_name_could_be_no_folder_everywhere_is_refused(
    name: str, tmp_path: Path
) -> None:
    write(tmp_path, f"portfolio/{name}.yaml", "label: Ours\ndescription: Nothing.\nitems: []\n")
    said = refusal(config_dir=tmp_path)
    assert f"portfolio.{name}: the name {name!r} must consist of 1 to 64 of a-z" in said
    assert "rename its file" in said


def test_a_defaults_list_that_names_no_file_is_refused_with_the_nearest(tmp_path: Path) -> None:
    text = "# @package _global_\ndefaults:\n  - compare\n  - override /physics: default\n"
    write(tmp_path, "experiment/mine.yaml", text)
    assert "did you mean 'defaults'" in refusal("experiment=mine", config_dir=tmp_path)


def test_an_unknown_lever_in_an_own_mechanism_is_refused_with_its_file(tmp_path: Path) -> None:
    text = OWN_MECHANISM.replace("talk_rate", "talkrate")
    write(tmp_path, "mechanism/kitchen_theatre.yaml", text)
    said = refusal(config_dir=tmp_path)
    assert "kitchen_theatre.yaml, line 12" in said
    assert "mechanism.kitchen_theatre.effects.talkrate" in said
    assert "did you mean 'talk_rate'" in said


def test_a_refused_setting_leaves_the_next_command_untouched() -> None:
    refusal("physics.anchor=50")
    assert load([f"scenario={TESTED}"]).scenario.key == TESTED


# the list


def test_the_list_shows_value_unit_range_meaning_and_source() -> None:
    row = next(r for r in listing("physics.anchor"))
    assert (row.path, row.value, row.unit) == ("physics.anchor", "0.02", "1/week")
    assert row.range == "from 0 to 10"
    assert "opening attitude" in row.meaning
    assert "Friedkin" in row.source


def test_the_list_shows_what_an_override_makes_of_a_setting() -> None:
    row = next(iter(listing("physics.anchor", ["physics.anchor=0.5"])))
    assert (row.value, row.source) == ("0.5", "command line")


def test_the_list_has_every_number_with_unit_meaning_and_source() -> None:
    rows = listing()
    assert len({row.path for row in rows}) == len(rows)
    for row in rows:
        if row.path.startswith(("strategy_map", "scorecard")):
            continue
        if re.fullmatch(r"-?\d+(\.\d+)?(e[-+]\d+)?", row.value):
            assert row.meaning, row.path
            assert row.unit, row.path
            # When and how a portfolio spends is a decision, not a fact with a source.
            assert row.source or row.path.startswith("portfolio"), row.path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("trust", "physics.trust_gain"),
        ("PHYSICS.TRUST", "physics.trust_gain"),
        ("physics.trust*", "physics.trust_gain"),
        ("opening attitude", "physics.anchor"),
        ("lever.coverage", "lever.coverage"),
        ("mechanism.co_design", "mechanism.co_design.effects.absorption.by"),
        ("portfolio.listening_first", "portfolio.listening_first.items.0.share"),
    ],
)
def test_the_list_is_searched_by_name_pattern_or_meaning(pattern: str, found: str) -> None:
    paths = [row.path for row in listing(pattern)]
    assert found in paths
    assert "finance.start_cash" not in paths


def test_a_pattern_that_matches_nothing_gives_nothing() -> None:
    assert listing("no_such_setting") == []
