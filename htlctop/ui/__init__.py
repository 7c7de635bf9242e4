"""The screen. `run` is all that others call; Textual is imported only when it runs."""

from htlctop.ui.session import Session, UiOptions

__all__ = ["Session", "UiOptions", "run"]


def run(session: Session, options: UiOptions) -> int:
    """Show the session in this terminal until the user leaves; the process's exit code.

    0 when the user quit, 143 after SIGTERM, 129 when the terminal went away, 1 after a crash.

    Raises:
        UsageError: stdin or stdout is not a terminal, or there is no such theme.
    """
    from htlctop.ui.start import run as run_app

    return run_app(session, options)
