"""scikit-optimize behind Optuna's interface."""
