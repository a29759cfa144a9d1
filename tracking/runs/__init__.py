"""What a sweep's writes are in MLflow: one experiment per sweep, one run per launch, one nested run per trial."""
