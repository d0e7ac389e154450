from dataclasses import dataclass
@dataclass(frozen=True)
class Bound:
    ulp: float
    worst: float
from collections import defaultdict
BOUNDS = defaultdict(dict)
