import vidstyle.core.openmp  # noqa: F401, before torch is imported
