"""`python -m htlctop`."""

from htlctop.cli import main

main()
