"""Processes beside the server: one looks at files that strangers sent, one paints stills, one renders each job."""
