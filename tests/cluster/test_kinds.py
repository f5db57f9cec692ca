"""Which machines are alike."""

from pathlib import Path

import pytest

pytest.importorskip("ray")

from vidstyle.cluster.kinds import Node, chosen, kind_here, processor
from vidstyle.core.errors import UsageError

OWN = {"processor": "EPYC avx2", "torch": "2.14", "gpu": None}
ALIKE = Node("a", "one", 2, dict(OWN))
OTHER = Node("b", "two", 8, {**OWN, "processor": "Xeon avx2 avx512f"})


def test_only_machines_of_one_kind_are_mixed() -> None:
    choice = chosen([ALIKE, OTHER], OWN, mixed=False)
    assert choice.nodes == (ALIKE,)
    assert choice.left_out == (OTHER,)
    assert choice.warnings == (
        "two (processor Xeon avx2 avx512f, here EPYC avx2): left out, as its bytes could differ; --mixed uses it.",
    )
    assert chosen([ALIKE, OTHER], OWN, mixed=True).nodes == (ALIKE, OTHER)


def test_no_machine_is_like_this_one() -> None:
    with pytest.raises(UsageError, match=r"two \(processor Xeon .*--mixed"):
        chosen([OTHER], OWN, mixed=False)
    with pytest.raises(UsageError, match="no processors to offer"):
        chosen([], OWN, mixed=True)


def test_a_processor_is_its_name_and_abilities(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: EPYC\nflags\t\t: fpu avx2 avx512_bf16\n")
    assert processor(info) == "EPYC avx2 avx512_bf16"
    assert processor(tmp_path / "none")
    assert kind_here("cpu") == kind_here("cpu")
