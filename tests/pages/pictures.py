"""Pictures of an agent's pages, for people to judge and for `agent/docs/`: `python -m tests.pages --pictures FOLDER`.

Taken in Chromium as the pages are; it also packs them as WebP, so that no other program is needed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from tests.pages.browser import Browser, Look

SCHEMES = ("light", "dark")
_QUALITY = 0.82
_PACK = """
async ([text, quality]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${text}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").drawImage(image, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({type: "image/webp", quality})).arrayBuffer());
  let packed = "";
  for (const byte of bytes) packed += String.fromCharCode(byte);
  return btoa(packed);
}
"""


def take(browser: Browser, address: str, pages: Mapping[str, str], folder: Path, height: int = 1000) -> list[Path]:
    """``pages``: a name and a path each; a PNG to look at and a WebP to keep, in light and in dark."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for scheme in SCHEMES:
        with browser.page(Look(scheme, scheme=scheme, width=1240)) as page, browser.page(Look("packing")) as packing:
            page.set_viewport_size({"width": 1240, "height": height})
            for name, path in pages.items():
                page.goto(address + path)
                page.wait_for_load_state("load")
                picture = page.screenshot(path=folder / f"{name}-{scheme}.png", scale="css")
                packed = packing.evaluate(_PACK, [base64.b64encode(picture).decode(), _QUALITY])
                (folder / f"{name}-{scheme}.webp").write_bytes(base64.b64decode(packed))
                taken.append(folder / f"{name}-{scheme}.webp")
    return taken
