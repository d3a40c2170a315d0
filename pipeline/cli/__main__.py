"""`python -m pipeline.cli` is `touchstream`."""

from pipeline.cli import main

main(prog_name="touchstream")
