"""What runs a model: torch or OpenVINO, on a processor or a GPU."""

import vidstyle.core.openmp  # noqa: F401, before torch is imported
