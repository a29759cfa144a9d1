"""What a sweep's curves and scores say: its facts, a diagnosis in words that rests on them, and a page that shows both."""
