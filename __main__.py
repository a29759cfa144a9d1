"""`python -m mlptune` is the command `mlptune`."""

from mlptune.experiments.cli import main

if __name__ == "__main__":
    main()
