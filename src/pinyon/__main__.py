"""``python -m pinyon``."""

from pinyon.cli import main

main()
