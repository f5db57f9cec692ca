"""The page in a real browser, over a real server with a small network: `make test-studio`.

One server, one browser, and a context (a user) a test. The model is the tiny one of the other tests, so that what is waited
for is the studio and not the painting.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.studio, pytest.mark.timeout(300)]

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
CAMERA = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


class Server:
    """A studio in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path, model: Path, port: int = 0) -> None:
        self.folder, self.model, self.port = folder, model, port
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = [
            "--folder",
            str(self.folder),
            "--port",
            str(self.port),
            "--model",
            str(self.model),
            "--engine",
            "torch",
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vidstyle", "studio", *words],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "2"},
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line + self.process.stderr.read()
        self.port = int(found[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self, how: int = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(20)
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("studio"), tiny_model)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; apt-get install chromium")
    with api.sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=CAMERA)
        yield made
        made.close()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """`page(**context)`: the page as a new user sees it; what goes wrong in its scripts fails the test."""
    contexts, wrong = [], []

    def opened(path: str = "/", **settings: Any) -> Any:
        context = browser.new_context(viewport={"width": 1280, "height": 850}, **settings)
        contexts.append(context)
        made = context.new_page()
        made.set_default_timeout(150_000)
        made.on("pageerror", lambda error: wrong.append(str(error)))
        made.goto(server.address + path, wait_until="commit")
        made.wait_for_selector("html[data-ready]")
        return made

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def video(make_clip: Callable[..., Path]) -> Path:
    return make_clip("a video.mp4", width=320, height=180, frames=50, sound="aac")


@pytest.fixture
def long_video(make_clip: Callable[..., Path]) -> Path:
    """One whose rendering takes a while."""
    return make_clip("long.mp4", width=480, height=270, frames=400)


def sent(page: Any, video: Path) -> None:
    """Send a video, and wait for its first painted frame."""
    page.set_input_files("#file-film", str(video))
    page.wait_for_selector("#painted[data-count]")


def until(page: Any, expression: str, seconds: float = 150) -> None:
    """Wait for an expression of the page to be true. (Playwright's own waiting evaluates strings in the page, which the page's
    content security policy forbids.)"""
    end = time.monotonic() + seconds
    while not page.evaluate(f"() => Boolean({expression})"):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def painted(page: Any, act: Callable[[], Any]) -> None:
    """Do something, and wait for the frame to be painted anew."""
    before = int(page.get_attribute("#painted", "data-count"))
    act()
    until(page, f"Number(document.getElementById('painted').dataset.count) > {before}")


def pixels(page: Any) -> Any:
    """The painted frame, as numbers."""
    return page.evaluate(
        """() => { const i = document.getElementById('painted'); const c = new OffscreenCanvas(32, 18);
        const g = c.getContext('2d'); g.drawImage(i, 0, 0, 32, 18); return [...g.getImageData(0, 0, 32, 18).data]; }"""
    )


def slide(page: Any, selector: str, value: float) -> None:
    page.eval_on_selector(
        selector, f"(e) => {{ e.value = {value}; e.dispatchEvent(new Event('input', {{ bubbles: true }})); }}"
    )


def test_a_frame_is_painted_and_follows_every_control(page: Callable[..., Any], video: Path) -> None:
    here = page()
    sent(here, video)
    assert here.is_enabled("#render")
    assert "320×180" in here.inner_text("#film-about")
    seen = [pixels(here)]
    for act in (
        lambda: here.click(".card[data-style=mosaic]"),
        lambda: slide(here, "[name=strength]", 0.4),
        lambda: slide(here, "[name=paint_size]", 0),
        lambda: here.check("[name=preserve_color]"),
        lambda: slide(here, "#time", 0.8),
    ):
        painted(here, act)
        seen.append(pixels(here))
    assert all(a != b for a, b in pairwise(seen))
    slide(here, "#split", 30)
    assert "70%" in here.eval_on_selector("#source", "(e) => e.style.clipPath")


def test_blends_masks_and_own_pictures(page: Callable[..., Any], video: Path, tmp_path: Path) -> None:
    art, mask = tmp_path / "my art.png", tmp_path / "mask.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)).save(art)
    Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 16, 0).repeat(16, 1)).save(mask)
    here = page()
    sent(here, video)
    painted(here, lambda: here.set_input_files("#file-style", str(art)))
    assert here.inner_text(".card[aria-pressed=true]").strip() == "my art"
    here.check("#blend")
    painted(here, lambda: here.click(".card[data-style=cubist]"))
    assert here.locator("#weights input").count() == 2
    painted(here, lambda: slide(here, "#weights input", 3))
    assert here.inner_text("#weights output >> nth=0") == "75 %"
    painted(here, lambda: here.set_input_files("#file-mask", str(mask)))
    until(here, "document.getElementById('mask-name').textContent.includes('mask.png')")
    painted(here, lambda: here.click("#no-mask"))


def test_a_video_is_rendered_measured_and_fetched(page: Callable[..., Any], video: Path, tmp_path: Path) -> None:
    from vidstyle.media.input.probe import probe

    here = page()
    sent(here, video)
    here.click("#move")
    here.wait_for_selector("#moving:not([hidden])")
    until(here, "document.getElementById('moving').currentTime > 0.2")
    here.click("#render")
    here.wait_for_selector(".job[data-kind=render][data-state=done]")
    with here.expect_download() as download:
        here.click("text=Download")
    assert download.value.suggested_filename == "a video in starry-strokes.mp4"
    download.value.save_as(tmp_path / "out.mp4")
    info = probe(tmp_path / "out.mp4")
    assert (info.width, info.height, info.frames) == (320, 180, 50)
    assert {s.type for s in info.streams} == {"video", "audio"}
    here.click("text=Measure")
    here.wait_for_selector(".job[data-kind=evaluate][data-state=done] table")
    assert "Warp error" in here.inner_text(".job[data-kind=evaluate] table")


def test_a_style_is_learned_and_then_used(page: Callable[..., Any], video: Path) -> None:
    here = page()
    sent(here, video)
    painted(here, lambda: here.click(".card[data-style=geometric]"))
    assert "as read" in here.inner_text("#told")
    here.eval_on_selector("#steps", "(e) => { e.options[0].value = '2'; }")
    painted(here, lambda: here.click("#learn"))
    assert "as learned" in here.inner_text("#told")
    assert "learned" in here.inner_text(".card[data-style=geometric]")
    painted(here, lambda: here.uncheck("#learned"))
    assert "as read" in here.inner_text("#told")


def test_a_reload_in_the_middle_and_cancel_and_resume(page: Callable[..., Any], long_video: Path) -> None:
    here = page()
    sent(here, long_video)
    here.click("#render")
    here.wait_for_selector(".job[data-state=running] progress[value]")
    here.reload()
    here.wait_for_selector(".job[data-state=running] progress[value]")
    begun = time.monotonic()
    here.click("text=Cancel")
    here.wait_for_selector(".job[data-state=cancelled]")
    assert time.monotonic() - begun < 1.5  # the page included; the process itself: tests/studio/test_jobs.py
    here.click("text=Resume")
    here.wait_for_selector(".job[data-state=done]")
    assert "400 frames" in here.inner_text(".job")


def test_two_users_see_their_own_and_share_by_link(page: Callable[..., Any], video: Path) -> None:
    mine, yours = page(), page()
    sent(mine, video)
    mine.click("#render")
    mine.wait_for_selector(".job")
    key = mine.get_attribute(".job", "data-job")
    yours.reload()
    yours.wait_for_selector("html[data-ready]")
    assert yours.locator(".job").count() == 0
    assert yours.locator("#videos button").count() == 0
    yours.goto(yours.url + f"#job={key}")
    yours.reload()
    yours.wait_for_selector(f".job[data-job='{key}'][data-state=done]")


def test_bad_files_are_told_in_a_sentence(page: Callable[..., Any], tmp_path: Path) -> None:
    here = page()
    for name, content, says in (
        ("notes.mp4", b"no video at all " * 99, "is not a video that can be opened"),
        ("empty.mp4", b"", "is empty"),
        ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n", "is a playlist"),
        ("cat.mp4", b"ffconcat version 1.0\nfile '/etc/passwd'\n", "is a playlist"),
    ):
        (tmp_path / name).write_bytes(content)
        here.set_input_files("#file-film", str(tmp_path / name))
        until(here, f"document.getElementById('note').textContent.includes({says!r})")
        assert str(tmp_path) not in here.inner_text("#note")
    (tmp_path / "art.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    here.set_input_files("#file-style", str(tmp_path / "art.svg"))
    until(here, "document.getElementById('note').textContent.includes('SVG')")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", server.port)) as line:
        head = f"POST /api/videos HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: {1 << 40}\r\n\r\n"
        line.sendall(head.encode() + b"x" * 100)
        assert b" 413 " in line.recv(4096)


def test_the_camera_is_painted(page: Callable[..., Any]) -> None:
    here = page(permissions=["camera"])
    here.click("#tab-live")
    here.click("#live-start")
    until(here, "Number(document.getElementById('live-canvas').dataset.shown) > 30")
    here.click(".card[data-style=mosaic]")
    slide(here, "[name=strength]", 0.5)
    here.wait_for_timeout(3000)
    shown = here.eval_on_selector("#live-canvas", "(e) => ({ ...e.dataset })")
    print("camera:", shown, here.inner_text("#live-size"))
    assert float(shown["rate"]) >= 5
    assert float(shown["latency"]) <= 1000
    here.click("#tab-film")
    here.click("#tab-live")
    assert here.inner_text("#live-start") == "Start the camera"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(page: Callable[..., Any], video: Path, width: int, scheme: str) -> None:
    """axe-core finds nothing; the keyboard reaches and moves everything."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    here = page(color_scheme=scheme)
    here.set_viewport_size({"width": width, "height": 850})
    sent(here, video)
    found = axe.Axe().run(here).response["violations"]
    assert [(v["id"], v["impact"], v["nodes"][0]["html"]) for v in found] == []
    assert here.evaluate("document.documentElement.scrollWidth <= innerWidth")
    here.focus("#split")
    here.keyboard.press("ArrowLeft")
    assert here.input_value("#split") == "49"
    here.focus("#tab-film")
    here.keyboard.press("ArrowRight")
    assert here.is_visible("#panel-live")
    here.keyboard.press("ArrowLeft")
    here.focus(".card[data-style=cubist]")
    painted(here, lambda: here.keyboard.press("Enter"))


def test_nothing_comes_from_elsewhere(page: Callable[..., Any], server: Server) -> None:
    here = page()
    asked: list[str] = []
    here.on("request", lambda request: asked.append(request.url))
    here.reload()
    here.wait_for_selector("html[data-ready]")
    assert asked
    assert [url for url in asked if not url.startswith((server.address, "blob:", "data:"))] == []


def test_jobs_outlive_a_killed_server_and_a_killed_process(
    page: Callable[..., Any], server: Server, long_video: Path
) -> None:
    """kill -9 of the job's process, then of the server: both times it goes on from its journal."""
    here = page()
    sent(here, long_video)
    here.click("#render")
    here.wait_for_selector(".job[data-state=running] progress[value]")
    key = here.get_attribute(".job", "data-job")
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")

    def worker() -> int | None:
        lines = [int(p) for task in children.parent.parent.iterdir() for p in (task / "children").read_text().split()]
        return next((p for p in lines if b"job_process" in Path(f"/proc/{p}/cmdline").read_bytes()), None)

    first = worker()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    for _ in range(200):
        if worker() not in (None, first):
            break
        time.sleep(0.1)
    second = worker()
    assert second is not None
    server.stop(signal.SIGKILL)
    for _ in range(50):
        if not Path(f"/proc/{second}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{second}").exists()  # it ends with its server
    server.start()
    here.wait_for_selector(f".job[data-job='{key}'][data-state=done]")  # the page found the server again
    job = json.loads(urllib.request.urlopen(f"{server.address}/api/jobs/{key}").read())
    assert job["report"]["frames"] == 400
