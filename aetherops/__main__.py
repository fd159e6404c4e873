"""``python -m aetherops`` is the command ``aetherops``."""

from aetherops.cli import main

main()
