"""Large-scale educational measurement: calibration, scores, plausible values, survey errors."""

from edmeasure.classical import ItemStatistics, cronbach_alpha, item_statistics
from edmeasure.errors import (
    BadOption,
    BadScore,
    BadShape,
    BadWeight,
    MeasurementError,
    NothingToCalibrate,
)
from edmeasure.irt import Certificate, IRTFit, calibrate
from edmeasure.plausible import PlausibleValues, conditioning_components, plausible_values
from edmeasure.responses import NOT_ADMINISTERED, NOT_REACHED, OMITTED, Responses
from edmeasure.scales import ReportingScale, scale_matching, scale_with
from edmeasure.scoring import AbilityEstimate, score_eap, score_wle
from edmeasure.survey import (
    Estimate,
    GroupEstimates,
    estimate_groups,
    group_difference,
    level_shares_groups,
    mean,
    percentiles,
    percentiles_groups,
    proportion,
    shares_at_levels,
    standard_deviation,
    variance_between,
)

__version__ = "0.1.0"

__all__ = [
    "NOT_ADMINISTERED",
    "NOT_REACHED",
    "OMITTED",
    "AbilityEstimate",
    "BadOption",
    "BadScore",
    "BadShape",
    "BadWeight",
    "Certificate",
    "Estimate",
    "GroupEstimates",
    "IRTFit",
    "ItemStatistics",
    "MeasurementError",
    "NothingToCalibrate",
    "PlausibleValues",
    "ReportingScale",
    "Responses",
    "calibrate",
    "conditioning_components",
    "cronbach_alpha",
    "estimate_groups",
    "group_difference",
    "item_statistics",
    "level_shares_groups",
    "mean",
    "percentiles",
    "percentiles_groups",
    "plausible_values",
    "proportion",
    "scale_matching",
    "scale_with",
    "score_eap",
    "score_wle",
    "shares_at_levels",
    "standard_deviation",
    "variance_between",
]
