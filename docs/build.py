"""The documentation as a site: `python docs/build.py` writes build/site; anything that leads nowhere is an error.

The pages read as well in the repository as on the site. What differs is done to a copy of them, in build/docs:

- a link that leaves docs/ (to a recipe, a source file, a result) leads to that file in the repository; a picture comes along;
- `<!-- commands -->` becomes the help of every command, as typer writes it;
- `<!-- file: NAME -->` becomes a file of the repository.

`paint/`, a page that paints a picture in the browser, comes along where npm and onnxscript are there (`paint_page.py`).

`python docs/build.py serve` shows the site on port 8000.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import paint_page

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
COPY = ROOT / "build" / "docs"
REPOSITORY = re.search(r"^repo_url: (\S+)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)[1]
LINK = re.compile(r"\]\((?P<address>\.\./[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")


def main(action: str = "build") -> int:
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(DOCS, COPY, ignore=shutil.ignore_patterns("*.py", "*.md", "__pycache__"))
    for page in sorted(DOCS.rglob("*.md")):
        target = COPY / page.relative_to(DOCS)
        target.write_text(site_page(page.read_text(encoding="utf-8"), page.relative_to(DOCS)), encoding="utf-8")
    if why := paint_page.missing() or paint_page.failure(COPY / "paint"):
        print(f"the page that paints in the browser is left out: {why}", file=sys.stderr)
        shutil.rmtree(COPY / "paint")
    strict = ["--strict", "--clean"] if action == "build" else []
    return subprocess.run([sys.executable, "-m", "zensical", action, *strict], cwd=ROOT, check=False).returncode


def site_page(text: str, page: Path) -> str:
    """A page as the site has it, from the repository's; `page` is its path below docs/."""
    text = re.sub(r"^<!-- file: (\S+) -->$", lambda m: (ROOT / m[1]).read_text("utf-8"), text, flags=re.MULTILINE)
    text = re.sub(r"^<!-- commands -->$", lambda _: help_of_commands(), text, flags=re.MULTILINE)
    return LINK.sub(lambda match: site_link(match, page), text)


def site_link(match: re.Match[str], page: Path) -> str:
    target = Path(os.path.normpath(DOCS / page.parent / match["address"]))
    if target.is_relative_to(DOCS):
        return match[0]
    if not target.exists():
        raise FileNotFoundError(f"docs/{page}: {match['address']} leads nowhere")
    if target.suffix == ".png":
        (COPY / "results").mkdir(exist_ok=True)
        shutil.copy(target, COPY / "results")
        return f"]({os.path.relpath(Path('results', target.name), page.parent)})"
    kind = "tree" if target.is_dir() else "blob"
    return f"]({REPOSITORY}/{kind}/main/{target.relative_to(ROOT).as_posix()}{match['anchor'] or ''})"


def help_of_commands() -> str:
    """Usage, arguments and options of every command (`typer ... utils docs`), without its title."""
    done = subprocess.run(
        [sys.executable, "-m", "typer", "vidstyle.cli", "utils", "docs", "--name", "vidstyle"],
        cwd=ROOT,
        env={**os.environ, "TYPER_USE_RICH": "0", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.partition("\n")[2]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
