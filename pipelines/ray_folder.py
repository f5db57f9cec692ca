"""A job of one's own over the public API: every film of a folder in a style, a film a task, on a Ray cluster.

    python pipelines/ray_folder.py FOLDER STYLE OUT [--address auto] [--cpus 4]

`vidstyle run FOLDER --style STYLE --out-dir OUT --ray auto` shares out the segments of films and survives more; this is
the bare bones, for those who want to build something else: a queue, a filter, a model of their own in each task.
"""

import argparse
from pathlib import Path

import ray

import vidstyle


def stylize(film: str, style: str, output: str, threads: int) -> str:
    """One film, on whatever machine; all of them see its folder."""
    options = vidstyle.RunOptions(threads=threads, resume=True)  # a task that is begun again goes on where it was
    try:
        report = vidstyle.stylize_video(film, output, style, options=options)
    except vidstyle.VidstyleError as error:
        return f"{film}: {error}"
    return f"{report.output}: {report.frames} frames, {report.fps:.1f} frames per second"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("style")
    parser.add_argument("out", type=Path)
    parser.add_argument("--address", default="local")
    parser.add_argument("--cpus", type=int, default=4)
    arguments = parser.parse_args()
    ray.init(address=arguments.address, log_to_driver=False)
    arguments.out.mkdir(exist_ok=True)
    films = sorted(path.absolute() for path in arguments.folder.iterdir() if path.is_file())
    task = ray.remote(num_cpus=arguments.cpus, max_retries=3)(stylize)
    outputs = [str((arguments.out / film.name).absolute()) for film in films]
    left = [task.remote(str(f), arguments.style, o, arguments.cpus) for f, o in zip(films, outputs, strict=True)]
    while left:
        (done, *_), left = ray.wait(left)
        print(ray.get(done), flush=True)


if __name__ == "__main__":
    main()
