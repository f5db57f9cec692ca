"""Networks, their codes of styles, and the files that both lie in."""

import vidstyle.core.openmp  # noqa: F401, before torch is imported
