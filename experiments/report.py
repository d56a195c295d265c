"""stub."""
from dataclasses import dataclass
from typing import Any
@dataclass(frozen=True)
class StudyResults:
    title: Any; scenario: Any; brief: Any; currency: Any; arms: Any; baseline: Any; headline: Any; quarters: Any; kinds: Any
    runs: Any; scorecard: Any; influence: Any; spending: Any; targets: Any; strategy_map: Any; provenance: Any; notes: Any=()
