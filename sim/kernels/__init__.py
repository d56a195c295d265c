"""The stakeholders' week in two compiled passes, and what is counted at a quarter's close.

`meet` is what happens to each stakeholder alone (promises, experience, voice); `hear` is what they
hear of each other, the one relaxation of salience and attitude, and choice; every stakeholder of a
pass reads what the pass before left (MODEL R4), so rows may be split among threads at will. All are
written for vectors of any number of lanes, which run over arms or over people (sim.memory); draws
are made 16 stakeholders at a time, once for all arms of a vector. Every sum is of integers, so that
order and numbering cannot matter.
"""

from sim.kernels.closing import close
from sim.kernels.hearing import hear
from sim.kernels.meeting import meet
from sim.kernels.shared import COEFFICIENTS, CONFIDENCE

__all__ = ["COEFFICIENTS", "CONFIDENCE", "close", "hear", "meet"]
