"""A model as a folder that needs neither mlptune nor anything else than NumPy."""
