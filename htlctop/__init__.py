"""htlctop: `top` for the fees a Lightning routing node is missing."""

__version__ = "0.1.0"
