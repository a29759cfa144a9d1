"""One launch of a sweep: its search loop, what is written of it, how it is taken up again, and its final model."""
