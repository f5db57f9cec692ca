"""Where finished films go: to a path, or over this machine's scratch to an address."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from vidstyle.cluster.storage import exists, is_url, name_of, scratch_folder, shown, url_of
from vidstyle.core.errors import InputError
from vidstyle.pipeline.plan.checks import OutputExists
from vidstyle.pipeline.plan.run_options import RunOptions


@dataclass(frozen=True)
class Outputs:
    """What the options say of outputs, settled."""

    options: RunOptions
    """With a local folder where they named an address."""
    local: Path | None
    """The single output on this machine; None: named after the film."""
    file: str | None = None
    """Address of a single output."""
    folder: str | None = None
    """Address of the folder of all outputs."""

    @classmethod
    def of(cls, output: str | Path | None, options: RunOptions) -> Outputs:
        """Of what `-o` and `--out-dir` say.

        Raises:
            UsageError: a password in an address.
            InputError: there is no room for scratch.
        """
        if output is not None and is_url(output):
            url = url_of(output)
            return cls(options, _scratch(url.rpartition("/")[0]) / name_of(url), file=url)
        if output is None and options.out_dir is not None and is_url(options.out_dir):
            url = url_of(options.out_dir).rstrip("/")
            return cls(replace(options, out_dir=_scratch(url)), None, folder=url)
        return cls(options, None if output is None else Path(output))

    def target(self, output: Path) -> str | None:
        """The address that a film goes to when it is finished. Raises OutputExists where something is there."""
        url = self.file or (f"{self.folder}/{output.name}" if self.folder else None)
        if url is not None and not self.options.overwrite and exists(url):
            refusal = OutputExists(output, "")
            refusal.args = (f"{shown(url)}: exists already; add -y to replace it, or choose another output with -o.",)
            raise refusal
        return url


def _scratch(url: str) -> Path:
    """This machine's folder for films on their way to an address; the same for a run that is resumed."""
    folder = scratch_folder() / "outputs" / hashlib.sha256(url.encode()).hexdigest()[:24]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be made ({error.strerror}); set VIDSTYLE_SCRATCH to another place."
        ) from error
    return folder
