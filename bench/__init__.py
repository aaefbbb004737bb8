"""What an event costs, side by side with plain ways to do the same: ``python -m bench``."""
