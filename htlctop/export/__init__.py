"""View models -> text, CSV and files. No terminal, no SQL."""
