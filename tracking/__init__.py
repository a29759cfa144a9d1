"""Tracking: runs, curves, artifacts and models in MLflow.

The coordinator calls `writer`, which puts tasks into a `queue`; its thread sends them to a `process`, which makes the calls of
`runs`. What cannot be written yet waits in a `spool`. `reader` reads the same store back. `schema` has all names in it.
"""
