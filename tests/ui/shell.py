"""A tmux of its own with a shell in it: job control as a user has it."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from terminal import HERE, ROOT

NEEDED = shutil.which("tmux") is not None and shutil.which("bash") is not None


class Shell:
    """One window of `width` x `height`; `folder` holds its socket."""

    def __init__(self, folder: Path, width: int = 100, height: int = 24, **env: str) -> None:
        self._socket = str(folder / "tmux")
        self._env = {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "TZ": "UTC", "HOME": str(folder)}
        self._env |= {"PATH": "/usr/local/bin:/usr/bin:/bin", **env}
        self._tmux(
            *("new-session", "-d", "-x", str(width), "-y", str(height), "env", "PS1=$ "),
            *("bash", "--norc", "--noediting", "-i"),
        )

    def start(self, *args: str) -> None:
        """The app on the fake, by hand."""
        self.type(" ".join([sys.executable, str(HERE / "child.py"), *args]))
        self.key("Enter")

    def type(self, text: str) -> None:
        """Text as typed."""
        self._tmux("send-keys", "-l", text)

    def key(self, *names: str) -> None:
        """Keys by their names for tmux."""
        self._tmux("send-keys", *names)

    @property
    def text(self) -> str:
        """What the window shows."""
        return self._tmux("capture-pane", "-p")

    def resize(self, width: int, height: int) -> None:
        """As if the user pulled at the window."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """The window, once it shows the text."""
        end = time.monotonic() + seconds
        while text not in (shown := self.text):
            assert time.monotonic() < end, shown
            time.sleep(0.05)
        return shown

    def kill(self) -> None:
        """End the server, and with it the terminal."""
        self._tmux("kill-server")

    def _tmux(self, *args: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, "-f", "/dev/null", *args],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        return done.stdout
