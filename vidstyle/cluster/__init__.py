"""Films over a Ray cluster: the driver settles each as a local run does, workers make its segments, the driver joins them."""
