"""The studio: a page, and a REST API, to see a painting before it is waited for, and a camera that is painted.

The server itself never opens a video, never loads a model: what does either is another process that can be killed.
"""
