"""A film of our own: a scene of known motion and a melody, made by program. It is what `vidstyle demo` stylises, and its
exact optical flow is what temporal metrics can be tested against."""
