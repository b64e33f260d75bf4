"""Non-inferiority: is the candidate shown to be no worse than the baseline by more than a margin?

The burden of proof is turned round. "No significant drop" on 50 queries proves nothing; non-inferiority is
shown only where the data exclude a drop as large as the margin, at level alpha, one-sided.

The hypothesis tested is `candidate - keep * baseline <= -absolute`. An absolute margin of 0.01 is `keep = 1`
and `absolute = 0.01`; a relative margin of 2 % is `keep = 0.98` and `absolute = 0`, tested as such, so
that the noise of the baseline's own mean counts.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from evalsuite.stats.paired import Spread, t_statistic
from evalsuite.stats.strata import Doubles


def noninferiority_p(estimate: Doubles, spread: Spread, margin: Doubles) -> Doubles:
    """Return `P(T > (estimate + margin) / error)`, one-sided.

    Args:
        estimate: float64 (m,), `candidate - keep * baseline`.
        spread: Its standard error.
        margin: float64 (m,), absolute margins, 0 or more.

    Returns:
        float64 (m,); small where a drop as large as the margin is excluded.
    """
    shifted = estimate + margin
    p = stats.t.sf(t_statistic(shifted, spread.error), spread.freedom)
    return np.where((spread.error == 0) & (shifted <= 0), 1.0, p)


def equivalence_p(estimate: Doubles, spread: Spread, margin: Doubles) -> Doubles:
    """Return the larger of the two one-sided p-values (TOST, Schuirmann 1987): neither worse nor better."""
    above = noninferiority_p(estimate, spread, margin)
    return np.maximum(above, noninferiority_p(-estimate, spread, margin))
