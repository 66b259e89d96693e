"""A terminal's output as an SVG that reads well on a light and on a dark page. Pure.

Each line is as wide as its characters, whatever monospaced font there is. What a colour says, the words say too.
"""

from __future__ import annotations

import re
from html import escape, unescape

_CODE = re.compile(r"\x1b\[([0-9;]*)m")
_ROLES = {"1": "strong", "31": "delete", "32": "create", "33": "update", "34": "drift", "35": "replace", "36": "adopt"}
_ROLES |= {"1;33": "held", "1;31": "delete"}
_WIDTH, _HEIGHT, _EDGE, _BAR = 8.0, 19, 18, 34
_STYLE = """
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
text { fill: #24292f; white-space: pre; }
.back { fill: #f7f8f6; stroke: #d0d4cf; } .dot { fill: #c9cec8; } .soft { fill: #66706a; }
.strong, .held { font-weight: 600; } .prompt { fill: #66706a; } .typed { font-weight: 600; }
.delete { fill: #b3261e; } .create { fill: #1a7f37; } .update, .held { fill: #8a5a00; } .replace { fill: #7a3e9d; }
.drift { fill: #1f5fa8; } .adopt { fill: #0a6e78; }
@media (prefers-color-scheme: dark) {
  text { fill: #e2e6e1; } .back { fill: #171b19; stroke: #3a413c; } .dot { fill: #454d47; }
  .soft, .prompt { fill: #98a29b; }
  .delete { fill: #ff8a80; } .create { fill: #6fdc8c; } .update, .held { fill: #ffc766; } .replace { fill: #d9a6ff; }
  .drift { fill: #8cc2ff; } .adopt { fill: #6fd6e0; }
}
"""


def svg_of(command: str, output: str, title: str) -> str:
    """``output`` with its colours (``--color always``), below the command that printed it."""
    lines = [[("prompt", "$ "), ("typed", command)], *(_spans(line) for line in output.rstrip("\n").split("\n"))]
    columns = max(sum(len(text) for _, text in line) for line in lines)
    width, height = int(columns * _WIDTH + 2 * _EDGE), len(lines) * _HEIGHT + _BAR + _EDGE
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="back" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="9"/>',
        *(f'<circle class="dot" cx="{_EDGE + 16 * number}" cy="17" r="5"/>' for number in range(3)),
    ]
    for number, line in enumerate(lines):
        y, column = _BAR + _HEIGHT * (number + 1) - 5, 0
        for role, text in line:
            if text.strip():
                x, long = _EDGE + column * _WIDTH, len(text) * _WIDTH
                named = f' class="{role}"' if role else ""
                drawn.append(
                    f'<text{named} x="{x:g}" y="{y}" textLength="{long:g}" lengthAdjust="spacingAndGlyphs" '
                    f'xml:space="preserve">{escape(text)}</text>'
                )
            column += len(text)
    return "\n".join([*drawn, "</svg>", ""])


def text_of(svg: str) -> str:
    """The words of such a picture, a line of it in a line."""
    rows: dict[str, str] = {}
    for y, text in re.findall(r'<text[^>]* y="(\d+)"[^>]*>([^<]*)</text>', svg):
        rows[y] = rows.get(y, "") + unescape(text)
    return "\n".join(rows.values())


def _spans(line: str) -> list[tuple[str, str]]:
    """Runs of one colour, with the role that it stands for."""
    found, role = [], ""
    for number, piece in enumerate(_CODE.split(line)):
        if number % 2:
            role = _ROLES.get(piece, "")
        elif piece:
            found.append((role, piece))
    return found
