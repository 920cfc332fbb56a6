"""What all tests share: hypothesis profiles.

``HYPOTHESIS_PROFILE=ci`` draws the same examples in every run, ``brief`` a few of them; ``thorough`` draws many more.
"""

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow]  # a first call compiles kernels

settings.register_profile("default", deadline=None, max_examples=50, suppress_health_check=_SLOW)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("brief", deadline=None, max_examples=10, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
