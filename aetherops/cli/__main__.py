"""``python -m aetherops.cli`` is the command ``aetherops``."""

from aetherops.cli import main

main()
