"""Execution: trials become stacks, stacks become jobs, and jobs run in worker processes, here or elsewhere."""
