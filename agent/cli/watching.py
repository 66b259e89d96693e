"""One picture on a terminal, drawn over itself until Ctrl-C. Used by ``status --watch``.

Drawn on the alternate screen, so that what stood there before comes back; each line is overwritten and its rest erased,
within one synchronized update where the terminal knows that, so that nothing flickers. The last picture stays.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

EVERY_SECONDS = 1.0
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"  # alternate screen, no cursor, long lines are cut and not wrapped
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_BEGIN, _END = "\x1b[?2026h\x1b[H", "\x1b[J\x1b[?2026l"
_REST = "\x1b[K\r\n"


def watch(
    picture: Callable[[], str],
    stream: TextIO,
    *,
    sleep: Callable[[float], None] = time.sleep,
    lines: Callable[[], int] = lambda: shutil.get_terminal_size().lines,
) -> None:
    """Until KeyboardInterrupt, which is its ordinary end. ``lines`` is the height of the screen, asked each time."""
    shown = ""
    stream.write(_ENTER)
    try:
        while True:
            shown = picture()
            stream.write(frame(shown, lines()))
            stream.flush()
            sleep(EVERY_SECONDS)
    except KeyboardInterrupt:
        pass
    finally:
        stream.write(_LEAVE + shown)
        stream.flush()


def frame(text: str, height: int) -> str:
    """The bytes that turn the last picture into this one; what does not fit is counted in the last line."""
    rows = text.splitlines()
    room = max(2, height - 1)
    if len(rows) > room:
        rows = [*rows[: room - 1], f"… {len(rows) - room + 1} more lines"]
    return _BEGIN + "".join(row + _REST for row in rows) + _END
