"""News about a firm: what third parties report of it, which is no flow of anybody (MODEL A.16).

News pull attitudes by their evidence as talk and claims do. They are believed for themselves, not
for the trust in the firm they are about; who trusts it gives it the benefit of the doubt when they
are bad. Source: Dawar & Pillutla (2000), who found that a crisis hurts a brand the less the more
was expected of it before; Ahluwalia, Burnkrant & Unnava (2000), the same by commitment.
"""

from __future__ import annotations

from typing import Any

from sim.lanes import law


@law
def believed(bad: Any, trusted: Any, doubt: Any) -> Any:
    """Return the evidence of bad news for someone of a trust in [0, 1]; trust 1/2 is neutral.

    `doubt` in [0, 1] is the share by which full trust lowers the evidence, and none raises it.
    """
    return bad + bad * doubt * (1.0 - (trusted + trusted))
