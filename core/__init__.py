"""The NumPy engine: stacks of networks trained as one batched pass."""
