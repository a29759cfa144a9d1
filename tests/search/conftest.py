"""Optuna tells of every study and trial; here only its warnings matter."""

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
