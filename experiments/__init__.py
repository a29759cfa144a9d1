"""Experiments: sweep files, data, the coordinator, workers, results and the command line.

`run` is a sweep from beginning to end; `results`, `model` and `objective` are what the user gets of it. Behind them:
`config` (the sweep file), `data` (its table), `launch` (one run of it: the search loop and its record) and `execution`
(training, in worker processes); in front of them `cli` (the command line).
"""
