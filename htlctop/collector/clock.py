"""The wall clock."""

import time


class SystemClock:
    """Implements `ports.Clock`."""

    def now_ns(self) -> int:
        """Wall-clock time, ns since the epoch, UTC."""
        return time.time_ns()
