"""Tracking: runs, curves, artifacts and models in MLflow."""
