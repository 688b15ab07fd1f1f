"""`python -m projops`."""

from projops.cli import main

main()
