"""A camera that is painted: always the newest frame, never a queue."""
