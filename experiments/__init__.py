"""Experiments: sweep files, data, the coordinator, workers, results and the command line."""
