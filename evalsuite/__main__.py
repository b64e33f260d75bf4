"""Run the command line with `python -m evalsuite`."""

from evalsuite.cli.app import main

main()
