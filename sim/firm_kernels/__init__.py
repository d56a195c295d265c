"""The firms' week, compiled: capability before the stakeholders' passes, listening and money after.

Arrays are float64 with lanes last; every firm runs the same lines. Sums over rivals run in the
order of the firms' keys, so that numbering the firms otherwise changes no bit (MODEL R7).
"""

from sim.firm_kernels.capability import capability_week
from sim.firm_kernels.drive import conduct_week
from sim.firm_kernels.finance import finance_week
from sim.firm_kernels.listening import listening_week
from sim.firm_kernels.service import arrivals, service_week

__all__ = [
    "arrivals",
    "capability_week",
    "conduct_week",
    "finance_week",
    "listening_week",
    "service_week",
]
