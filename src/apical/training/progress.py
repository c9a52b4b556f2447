"""How far training is: a bar with the time left on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

LINE_EVERY_S = 5.0


class Progress:
    """Shows segments done of segments in all; `total` may grow while more runs are known."""

    def __init__(self, total: int = 0, quiet: bool = False) -> None:
        self.stream = sys.stderr
        self.total, self.done, self.quiet = total, 0, quiet
        self._began = self._said = time.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> "Progress":
        if self.stream.isatty() and not self.quiet:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeRemainingColumn(),
            )
            self._bar = Bar(*columns, console=Console(file=self.stream), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=self.total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, text: str, n: int = 1) -> None:
        """`n` more are done; `text` says what was seen."""
        self.done += n
        if self._bar is not None:
            self._bar.update(self._task, description=text, completed=self.done, total=self.total)
        elif not self.quiet and (time.monotonic() - self._said > LINE_EVERY_S or self.done >= self.total):
            self._said = time.monotonic()
            print(f"{text}  {self.done}/{self.total}, {self.left()} left", file=self.stream, flush=True)

    def announce(self, text: str) -> None:
        """What is under way; shown where there is a bar."""
        if self._bar is not None:
            self._bar.update(self._task, description=text)

    def left(self) -> str:
        """The time left, from the mean speed so far."""
        if not self.done:
            return "unknown"
        seconds = (time.monotonic() - self._began) * (self.total - self.done) / self.done
        minutes, seconds = divmod(round(seconds), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
