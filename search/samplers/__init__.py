"""Samplers, one strategy a file."""
