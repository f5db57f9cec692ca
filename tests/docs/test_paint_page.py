"""The page that paints in the browser, in Chromium: with ONNX Runtime Web from npm, as the site has it."""

from __future__ import annotations

import base64
import http.server
import importlib.util
import io
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SIZE = (72, 48)


def paint_page() -> Any:
    spec = importlib.util.spec_from_file_location("paint_page", ROOT / "docs" / "paint_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Quiet(http.server.SimpleHTTPRequestHandler):
    def guess_type(self, path: Any) -> str:
        return "text/javascript" if str(path).endswith("js") else super().guess_type(path)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path, tiny_model: Path) -> Iterator[str]:
    """Address of the page, complete, with the tests' small network."""
    page = paint_page()
    if why := page.missing():
        pytest.skip(why)
    folder = tmp_path / "paint"
    shutil.copytree(ROOT / "docs" / "paint", folder)
    page.complete(folder, model=str(tiny_model))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_picture_is_painted_in_the_browser(site: str, tiny_model: Path, tmp_path: Path) -> None:
    """Within two levels of what the engine paints: the browser's canvas rounds."""
    playwright = pytest.importorskip("playwright.sync_api")
    from vidstyle import Stylizer

    rng = np.random.default_rng(0)
    picture = np.asarray(
        Image.fromarray(rng.integers(0, 256, (6, 9, 3), np.uint8)).resize(SIZE, Image.Resampling.BICUBIC), np.uint8
    )
    Image.fromarray(picture).save(tmp_path / "photo.png")
    failures: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on(
            "request",
            lambda request: failures.append(request.url) if not request.url.startswith((site, "blob:")) else None,
        )
        page.goto(site)
        page.locator("#file:enabled").wait_for(timeout=60_000)
        page.set_input_files("#file", tmp_path / "photo.png")
        page.get_by_text(", painted in").wait_for(timeout=60_000)
        told = page.inner_text("#told")
        data = page.evaluate("document.getElementById('canvas').toDataURL('image/png')")
        browser.close()
    assert failures == []
    assert [address for address in asked if not address.startswith((site, "blob:"))] == []
    assert told.startswith("72 × 48, painted in")
    painted = np.asarray(Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB"))
    stylizer = Stylizer(tiny_model, engine="torch", device="cpu", precision="fp32")
    wanted = stylizer.stylize(picture[None], stylizer.encode_style("mosaic"))[0]
    assert wanted.std() > 5
    assert np.abs(painted.astype(int) - wanted).max() <= 2
