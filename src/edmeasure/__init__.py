"""Large-scale educational measurement: calibration, scores, plausible values, survey errors."""

import lazy_loader

__version__ = "0.1.0"

# The names stand in __init__.pyi and are imported when first used: who only scores does not load what only clusters.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
