"""The surrogate model: features, Gaussian process, acquisition."""
