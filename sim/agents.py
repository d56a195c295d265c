"""Mesa agents as windows: each looks at one row of a run and owns nothing but its place.

World, State and FirmState stay the only truth: reading a property reads their arrays, and setting
one between two quarters is what the kernels meet in the next week. Windows have no `step` of their
own; whatever is written is checked at the door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, overload

import mesa
import numpy as np

from sim import organization
from sim.checks import nearest, require_in
from sim.engine import Run
from sim.fields import CAPITALS
from sim.kernels import COEFFICIENTS
from sim.laws import capability, outbound
from sim.opening import owner_of
from sim.state import (
    ATTITUDE,
    BROKEN,
    EXPECTATION,
    FIRM_FIELDS,
    GRIEVANCE,
    KEPT,
    OFFER,
    PROVIDER,
    QUIET,
    SALIENCE,
    TENURE,
    TICKET,
)

LANE = 0  # a model runs one arm
MOST_PROMISES = 1e6
MOST_MONEY = 1e12


class Numbers:
    """A row of the run's numbers that checks what is written into it; by place or by name."""

    def __init__(
        self,
        name: str,
        row: np.ndarray,
        keys: Sequence[str],
        low: float,
        high: float,
        written: Callable[[], None] | None = None,
    ) -> None:
        self._name, self._row, self._keys = name, row, list(keys)
        self._low, self._high, self._written = low, high, written

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return len(self._row)

    def __iter__(self) -> Iterator[float]:
        """Go through the numbers as they are now."""
        return iter(self._row.tolist())

    def __getitem__(self, at: int | str | slice) -> Any:
        """Return one number, or a copy of several."""
        found = self._row[self._place(at)]
        return float(found) if np.ndim(found) == 0 else found.copy()

    def __setitem__(self, at: int | str | slice, value: Any) -> None:
        """Write one number or several; ValueError leaves all as they were."""
        place = self._place(at)
        try:
            new = np.asarray(value, np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"{self._name}[{at!r}]={value!r} must be a number") from None
        if not ((new >= self._low) & (new <= self._high)).all():
            raise ValueError(
                f"{self._name}[{at!r}]={value!r} is out of range: it must lie in "
                f"[{self._low:g}, {self._high:g}]"
            )
        self._row[place] = new
        if self._written is not None:
            self._written()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return a copy, so that nothing is written past the check."""
        return np.array(self._row, dtype=dtype)

    def __repr__(self) -> str:
        """Name every number."""
        pairs = zip(self._keys, self._row.tolist(), strict=True)
        return f"{self._name}({', '.join(f'{key}={value:.4g}' for key, value in pairs)})"

    def _place(self, at: int | str | slice) -> int | slice:
        if isinstance(at, str):
            return place_of(self._name, at, self._keys)
        if isinstance(at, slice):
            return at
        if isinstance(at, bool) or not -len(self._row) <= at < len(self._row):
            raise IndexError(f"{self._name}[{at!r}]: there are {len(self._row)}, numbered from 0")
        return int(at)


class Window(mesa.Agent):
    """A Mesa agent that stands for something in the run of its model."""

    def __init__(self, model: mesa.Model, engine: Run) -> None:
        super().__init__(model)
        self.engine = engine

    def remove(self) -> None:
        """Refuse: closing a window would not take anybody out of the market."""
        raise ValueError(f"{self!r} cannot be removed: the scenario says who is in the market")


class Stakeholder(Window):
    """A window on one stakeholder: what it thinks of every firm, and whom it buys from.

    Numbers about firms are written by the firm's place or key: `attitude[0] = 0.4`,
    `attitude["ours"] = 0.4`.
    """

    def __init__(self, model: mesa.Model, engine: Run, row: int) -> None:
        super().__init__(model, engine)
        self.row = row

    def __repr__(self) -> str:
        """Name the type and the row."""
        return f"Stakeholder({self.kind}, row={self.row})"

    @property
    def id(self) -> int:
        """Stable 64-bit identity, which addresses the stakeholder's luck."""
        return int(self.engine.facts.ids[self.row])

    @property
    def kind(self) -> str:
        """Key of the stakeholder type."""
        return self.engine.scenario.stakeholders[self._kind].key

    @property
    def voice(self) -> float:
        """Talkativeness, a factor."""
        return float(self.engine.facts.voice[self.row])

    @property
    def opportunity(self) -> float:
        """Rate of occasions to choose a provider, 1/week."""
        return float(self.engine.facts.opportunity[self.row])

    @property
    def opening_attitude(self) -> np.ndarray:
        """Attitude at the start and anchor afterwards, float32 (F,) in [-1, 1], a copy."""
        return self.engine.facts.opening_attitude(self.row)

    @property
    def department(self) -> str | None:
        """Key of the department one works in, None for outsiders."""
        world = self.engine.world
        number = world.department[self.row]
        if number < 0:
            return None
        return self.engine.scenario.firms[world.tied[self.row]].departments[number].key

    @property
    def hears(self) -> tuple[int, ...]:
        """Rows of the stakeholders that this one hears."""
        world = self.engine.world
        begin, end = world.indptr[self.row], world.indptr[self.row + 1]
        return tuple(world.indices[begin:end].tolist())

    @property
    def salience(self) -> Numbers:
        """Probability in [0, 1] that each firm is in mind."""
        return self._about_firms("salience", SALIENCE, 0.0, 1.0)

    @salience.setter
    def salience(self, value: Any) -> None:
        self.salience[:] = value

    @property
    def attitude(self) -> Numbers:
        """Disposition in [-1, 1] to each firm."""
        return self._about_firms("attitude", ATTITUDE, -1.0, 1.0)

    @attitude.setter
    def attitude(self, value: Any) -> None:
        self.attitude[:] = value

    @property
    def expectation(self) -> Numbers:
        """Expected quality in [0, 1] of each firm."""
        return self._about_firms("expectation", EXPECTATION, 0.0, 1.0)

    @expectation.setter
    def expectation(self, value: Any) -> None:
        self.expectation[:] = value

    @property
    def kept(self) -> Numbers:
        """Promises that each firm kept, a pseudo-count not below the prior."""
        return self._about_firms("kept", KEPT, self._prior, MOST_PROMISES)

    @kept.setter
    def kept(self, value: Any) -> None:
        self.kept[:] = value

    @property
    def broken(self) -> Numbers:
        """Promises that each firm broke, a pseudo-count not below the prior."""
        return self._about_firms("broken", BROKEN, self._prior, MOST_PROMISES)

    @broken.setter
    def broken(self, value: Any) -> None:
        self.broken[:] = value

    @property
    def trust(self) -> np.ndarray:
        """Trust in [0, 1] in each firm, float32 (F,): follows from promises kept and broken."""
        row = self.engine.state.people[self.row, :-1, LANE].reshape(-1, FIRM_FIELDS)
        return np.asarray(outbound.trust(row[:, KEPT], row[:, BROKEN]))

    @property
    def satisfaction(self) -> float:
        """Satisfaction in [-1, 1] with the provider; 0 without one."""
        return float(self.engine.state.people[self.row, -1, LANE])

    @satisfaction.setter
    def satisfaction(self, value: float) -> None:
        if self.provider is None:
            raise ValueError(f"satisfaction={value!r}: {self!r} is tied to no firm")
        require_in("satisfaction", value, -1.0, 1.0)
        self.engine.state.people[self.row, -1, LANE] = value

    @property
    def provider(self) -> int | None:
        """Number of the firm one is tied to, None for none; may be set by number or key."""
        firm = int(self._marks[PROVIDER])
        return None if firm < 0 else firm

    @provider.setter
    def provider(self, firm: int | str | None) -> None:
        keys = [f.key for f in self.engine.scenario.firms]
        if not self.engine.scenario.stakeholders[self._kind].customer:
            raise ValueError(f"provider={firm!r}: the tie of {self!r}, no customer, is fixed")
        if isinstance(firm, str):
            firm = place_of("provider", firm, keys)
        elif firm is not None and (isinstance(firm, bool) or firm not in range(len(keys))):
            raise ValueError(f"provider={firm!r} is no firm: 0 to {len(keys) - 1}, a key or None")
        if firm != self.provider:
            self._move(firm)

    @property
    def tenure(self) -> int:
        """Weeks since the provider was chosen."""
        return int(self._marks[TENURE])

    @property
    def complaining(self) -> bool:
        """Whether a complaint waits at the provider."""
        return bool(self._marks[TICKET])

    @property
    def _kind(self) -> int:
        return int(self.engine.world.kind[self.row])

    @property
    def _marks(self) -> np.ndarray:
        return self.engine.state.marks[self.row, :, LANE]

    @property
    def _prior(self) -> float:
        coefficient = self.engine.coefficients[COEFFICIENTS.index("trust_prior"), LANE]
        return float(np.float32(coefficient))

    def _about_firms(self, name: str, field: int, low: float, high: float) -> Numbers:
        row = self.engine.state.people[self.row, field:-1:FIRM_FIELDS, LANE]
        return Numbers(name, row, [f.key for f in self.engine.scenario.firms], low, high)

    def _move(self, firm: int | None) -> None:
        """Change the provider as a choice would, only that nobody counts it as won or lost."""
        tied = self.engine.firms.tied[:, self._kind, LANE]
        if self.provider is not None:
            tied[self.provider] -= 1
        if firm is not None:
            tied[firm] += 1
        felt = 0.0 if firm is None else self.attitude[firm]
        self.engine.state.people[self.row, -1, LANE] = felt
        self._marks[[TENURE, QUIET, GRIEVANCE, TICKET, OFFER]] = 0
        self._marks[PROVIDER] = -1 if firm is None else firm


class FirmWindow(Window):
    """A window on a firm: what it has, can and offers."""

    def __init__(self, model: mesa.Model, engine: Run, number: int) -> None:
        super().__init__(model, engine)
        self.number = number

    def __repr__(self) -> str:
        """Name the firm."""
        return f"{type(self).__name__}({self.key})"

    @property
    def key(self) -> str:
        """Name in settings."""
        return self.engine.scenario.firms[self.number].key

    @property
    def label(self) -> str:
        """Name in reports."""
        return self.engine.scenario.firms[self.number].label

    @cached_property
    def departments(self) -> tuple[Department, ...]:
        """Windows on its departments."""
        given = self.engine.scenario.firms[self.number].departments
        return tuple(Department(self, i) for i in range(len(given)))

    @property
    def cash(self) -> float:
        """Money at hand, currency; may be set."""
        return float(self.engine.firms.cash[self.number, LANE])

    @cash.setter
    def cash(self, value: float) -> None:
        require_in("cash", value, -MOST_MONEY, MOST_MONEY)
        self.engine.firms.cash[self.number, LANE] = value

    @property
    def worth(self) -> float:
        """Discounted profit less investment so far, currency."""
        return float(self.engine.firms.worth[self.number, LANE])

    @property
    def customers(self) -> int:
        """Customers tied to it."""
        tied = self.engine.firms.tied[self.number, :, LANE]
        return int(
            sum(tied[k] for k, t in enumerate(self.engine.scenario.stakeholders) if t.customer)
        )

    @property
    def waiting(self) -> int:
        """Complaints that wait."""
        return int(self.engine.firms.waiting[self.number, LANE])

    @property
    def effort(self) -> dict[str, float]:
        """Money per quarter on each mechanism, as its policy set it for this quarter."""
        effort = self.engine.firms.effort[self.number, :, LANE]
        return dict(zip(self._mechanisms, effort.tolist(), strict=True))

    @property
    def maturity(self) -> Numbers:
        """Maturity in [0, 1] of each mechanism; may be set, by place or key."""
        row = self.engine.firms.maturity[self.number, :, LANE]
        return Numbers("maturity", row, self._mechanisms, 0.0, 1.0)

    @maturity.setter
    def maturity(self, value: Any) -> None:
        self.maturity[:] = value

    @property
    def capital(self) -> Numbers:
        """Stocks of human, information and organization capital, currency; may be set."""
        row = self.engine.firms.stock[self.number, :, LANE]
        return Numbers("capital", row, CAPITALS, 0.0, MOST_MONEY, self._rate_capital)

    @capital.setter
    def capital(self, value: Any) -> None:
        self.capital[:] = value

    @property
    def readiness(self) -> dict[str, float]:
        """Readiness in [0, 1] of the three capitals: follows from their stocks."""
        ready = self.engine.firms.ready[self.number, :, LANE]
        return dict(zip(CAPITALS, ready.tolist(), strict=True))

    @property
    def _mechanisms(self) -> list[str]:
        return [m.key for m in self.engine.scenario.mechanisms]

    def _rate_capital(self) -> None:
        """Keep readiness what its stock says, as the way of insight is worked out before a week."""
        run = self.engine
        for c in range(len(CAPITALS)):
            run.firms.ready[self.number, c, LANE] = capability.readiness(
                run.firms.stock[self.number, c, LANE], run.given.reference[self.number, c]
            )


class Organization(FirmWindow):
    """A window on the organization, firm 0."""


class Competitor(FirmWindow):
    """A window on a competitor."""


class Department(Window):
    """A window on a department: what it does with insight, what it runs and who works there."""

    def __init__(self, firm: FirmWindow, number: int) -> None:
        super().__init__(firm.model, firm.engine)
        self.firm, self.number = firm, number

    @property
    def key(self) -> str:
        """Name in settings."""
        return self._given.key

    @property
    def label(self) -> str:
        """Name in reports."""
        return self._given.label

    def __repr__(self) -> str:
        """Name the firm and the department."""
        return f"Department({self.firm.key}, {self.key})"

    @property
    def acts(self) -> float:
        """Share of the insight it holds that it turns into change."""
        return self._given.acts

    @property
    def hears(self) -> float:
        """Share of what the firm hears that arrives here first."""
        return self._given.hears

    @property
    def members(self) -> tuple[int, ...]:
        """Rows of the stakeholders who work here."""
        world = self.engine.world
        here = (world.department == self.number) & (world.tied == self.firm.number)
        return tuple(np.flatnonzero(here).tolist())

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Keys of the mechanisms that it runs today, whatever a design makes of it."""
        market = self.engine.scenario
        departments = market.firms[self.firm.number].departments
        return tuple(
            m.key for m in market.mechanisms if owner_of(departments, m.owner) == self.number
        )

    @property
    def leads_to(self) -> dict[str, float]:
        """Share of its ties inside the firm that lead to each department."""
        shares = self.engine.world.routing[self.firm.number][self.number].tolist()
        departments = self.engine.scenario.firms[self.firm.number].departments
        return {d.key: share for d, share in zip(departments, shares, strict=True)}

    @property
    def _given(self) -> organization.Department:
        return self.engine.scenario.firms[self.firm.number].departments[self.number]


class Stakeholders(Sequence[Stakeholder]):
    """All stakeholders by row; a window is built when it is first asked for."""

    def __init__(self, model: mesa.Model, engine: Run) -> None:
        self._model, self._engine = model, engine
        self._built: dict[int, Stakeholder] = {}

    def __len__(self) -> int:
        """Return how many stakeholders there are."""
        return self._engine.world.n_stakeholders

    @overload
    def __getitem__(self, row: int) -> Stakeholder: ...

    @overload
    def __getitem__(self, row: slice) -> list[Stakeholder]: ...

    def __getitem__(self, row: int | slice) -> Stakeholder | list[Stakeholder]:
        """Return the window on a row, or on each of several rows."""
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        at = row + len(self) if row < 0 else row
        if not 0 <= at < len(self):
            raise IndexError(f"stakeholders[{row}]: there are {len(self)}, numbered from 0")
        if at not in self._built:
            self._built[at] = Stakeholder(self._model, self._engine, int(at))
        return self._built[at]

    def __repr__(self) -> str:
        """Say how many there are."""
        return f"Stakeholders({len(self)})"


def place_of(name: str, key: str, keys: Sequence[str]) -> int:
    """Return the place of a key; KeyError names the nearest."""
    if key not in keys:
        raise KeyError(f"{name}[{key!r}] is unknown{nearest(key, keys)}")
    return list(keys).index(key)
