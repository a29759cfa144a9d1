"""Search: spaces, samplers, pruners and schedulers on the interfaces of Optuna."""
