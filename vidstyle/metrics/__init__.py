"""Temporal consistency and fidelity of a styled film, measured against its source. Definitions: docs/metrics.md."""
