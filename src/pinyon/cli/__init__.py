"""The command line."""


def main() -> None:
    """Entry point of the ``pinyon`` command."""
    from pinyon.cli.commands import run

    run()
