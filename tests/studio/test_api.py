"""The REST API without its helpers: what is refused, what is hidden, how jobs are told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from vidstyle.core.errors import UsageError
from vidstyle.studio.app import create_app
from vidstyle.studio.configuration import StudioConfiguration
from vidstyle.studio.library import Item
from vidstyle.studio.state import Studio

HERE = "http://127.0.0.1:7860"
SETTINGS = {"styles": [{"style": "mosaic"}]}


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[tuple[Studio, Callable[[], TestClient]]]:
    """A studio that is not at work: jobs wait, helpers are not started; and browsers for it."""
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    app = create_app(StudioConfiguration(tmp_path / "studio", allowed=(allowed,)))
    yield app.state.studio, lambda: TestClient(app, base_url=HERE)
    app.state.studio.close()


def put(studio: Studio, client: str, name: str = "a.mp4") -> Item:
    """A video in the library, as an upload would leave it."""
    about = {"width": 320, "height": 180, "seconds": 2.0, "suffix": ".mp4"}
    path = studio.configuration.folder / name
    path.write_bytes(b"v")
    studio.library.look = lambda *_: about
    return studio.library.add_path(path, client)


def me(browser: TestClient) -> str:
    """The client that a browser is."""
    browser.get("/api/info")
    return str(browser.cookies["vidstyle_client_7860"])


def test_a_job_is_submitted_told_of_cancelled_resumed_deleted(studio: Any) -> None:
    held, make = studio
    mine, yours = make(), make()
    video = put(held, me(mine))
    answer = mine.post("/api/jobs", json={"kind": "render", "video": video.id, "settings": SETTINGS})
    assert answer.status_code == 201
    job = answer.json()
    assert (job["state"], job["title"]) == ("queued", "a in mosaic")
    assert str(held.configuration.folder) not in answer.text
    assert [j["id"] for j in mine.get("/api/jobs").json()] == [job["id"]]
    assert yours.get("/api/jobs").json() == []
    assert yours.get("/api/videos").json() == []
    assert yours.get(f"/api/jobs/{job['id']}").json()["state"] == "queued"  # who has the id has the job
    assert mine.delete(f"/api/videos/{video.id}").status_code == 422  # a job needs it
    assert mine.post(f"/api/jobs/{job['id']}/resume").status_code == 409
    assert mine.get(f"/api/jobs/{job['id']}/result").status_code == 404
    assert mine.post(f"/api/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    events = mine.get(f"/api/jobs/{job['id']}/events").text
    assert "event: job" in events
    assert '"state": "cancelled"' in events
    assert mine.post(f"/api/jobs/{job['id']}/resume").json()["state"] == "queued"
    assert mine.delete(f"/api/jobs/{job['id']}").status_code == 204
    assert mine.get(f"/api/jobs/{job['id']}").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"settings": {"styles": []}},
        {"settings": {"styles": [{"style": "mosaic", "weight": -1}]}},
        {"settings": {**SETTINGS, "strength": 2.5}},
        {"settings": {**SETTINGS, "stabilize": 1}},
        {"settings": {**SETTINGS, "paint_size": 3}},
        {"settings": {**SETTINGS, "strenght": 1}},
        {"settings": {"styles": [{"style": "../../etc/passwd"}]}},
        {"settings": {"styles": [{"style": "/etc/passwd"}]}},
        {"settings": {**SETTINGS, "mask": "../x"}},
        {"start": 3, "end": 2},
        {"kind": "shell"},
        {"video": "../../../etc/passwd"},
    ],
)
def test_wrong_requests_are_refused_in_a_sentence(studio: Any, wrong: dict[str, Any]) -> None:
    held, make = studio
    browser = make()
    wish = {"kind": "render", "video": put(held, me(browser)).id, "settings": SETTINGS, **wrong}
    answer = browser.post("/api/jobs", json=wish)
    assert answer.status_code in (404, 422)
    assert answer.json()["detail"]
    assert held.table.jobs() == []


def test_paths_are_those_of_the_allowed_folder(studio: Any, tmp_path: Path) -> None:
    held, make = studio
    browser, secret, link = make(), tmp_path / "secret.mp4", tmp_path / "allowed" / "link.mp4"
    secret.write_bytes(b"v")
    link.symlink_to(secret)
    for path in (secret, tmp_path / "allowed" / ".." / "secret.mp4", link, Path("/etc/passwd"), tmp_path / "allowed"):
        assert browser.post("/api/videos/path", json={"path": str(path)}).status_code == 422
    mine = tmp_path / "allowed" / "mine.mp4"
    mine.write_bytes(b"v")
    held.library.look = lambda *_: {"width": 32, "height": 32, "suffix": ".mp4"}
    assert browser.post("/api/videos/path", json={"path": str(mine)}).status_code == 201


def test_too_many_jobs_and_too_large_files(studio: Any) -> None:
    held, make = studio
    browser = make()
    fit = {"kind": "fit", "style": "mosaic"}
    codes = [browser.post("/api/jobs", json=fit).status_code for _ in range(51)]
    assert codes == [201] * 50 + [422]
    assert browser.post("/api/pictures", content=b"p" * (64 << 20) + b"p").status_code == 413
    assert list(held.library.folder.iterdir()) == []


def test_what_was_learned_is_found_by_size_and_kind(studio: Any) -> None:
    held, make = studio
    for name in ("mosaic-480", "mosaic-240", "mosaic-480-deep", "mosaic-evil", "cubist-480"):
        (held.fitted / f"{name}.safetensors").touch()
    assert held.best_learned("mosaic", 250, deep=False).stem == "mosaic-240"
    assert held.best_learned("mosaic", 700, deep=False).stem == "mosaic-480"
    assert held.best_learned("mosaic", 480, deep=True).stem == "mosaic-480-deep"
    assert held.best_learned("risograph", 480, deep=True) is None
    styles = {style["style"]: style["learned"] for style in make().get("/api/styles").json()}
    assert "480" in styles["mosaic"]
    assert not styles["risograph"]
    assert next(iter(styles)) in ("mosaic", "cubist")  # what has been learned comes first


def test_the_page_and_its_description(studio: Any) -> None:
    browser = studio[1]()
    page = browser.get("/").text
    assert "http://" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    for path in ("/page/main.js", "/page/style.css", "/page/icon.svg", "/favicon.ico"):
        assert browser.get(path).status_code == 200
    for path in ("/docs", "/redoc", "/page/", "/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py"):
        assert browser.get(path).status_code == 404
    paths = browser.get("/api/openapi.json").json()["paths"]
    assert {"/api/jobs", "/api/jobs/{key}/cancel", "/api/preview", "/api/videos"} <= paths.keys()


def test_a_folder_has_one_studio(studio: Any) -> None:
    with pytest.raises(UsageError, match="another studio"):
        create_app(StudioConfiguration(studio[0].configuration.folder))
