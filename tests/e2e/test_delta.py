"""mue diff and mue patch as an engineer uses them."""
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MUE = Path(os.environ.get("MUE_BUILD", ROOT / "build")) / "cli" / "mue"
PAIRS = Path(os.environ.get("MUE_SHARED", ROOT.parent / "shared")) / "firmware-pairs"


def mue(*args):
    return subprocess.run([str(MUE), *map(str, args)], capture_output=True, text=True, check=False)


def pair(name):
    folder = PAIRS / name
    if not (folder / "old").exists():
        pytest.skip(f"{folder} is not there")
    return folder / "old", folder / "new"


@pytest.mark.parametrize("name, ratio", [
    ("avr-own-small", 0.03),
    ("cm-wolfssl-u2-u3", 0.004),
    ("lx-arm64-sshd", 0.003),
])
def test_a_patch_is_small_and_gives_new(tmp_path, name, ratio):
    old, new = pair(name)
    patch, out = tmp_path / "patch", tmp_path / "out"
    made = mue("diff", old, new, "-o", patch)
    assert made.returncode == 0, made.stderr
    assert patch.stat().st_size < ratio * new.stat().st_size
    applied = mue("patch", old, patch, "-o", out)
    assert applied.returncode == 0, applied.stderr
    assert out.read_bytes() == new.read_bytes()


def test_explain_says_where_the_bytes_went(tmp_path):
    old, new = pair("avr-own-small")
    made = mue("diff", old, new, "-o", tmp_path / "patch", "--explain")
    assert made.returncode == 0, made.stderr
    for word in ("header", "copy map", "inserted bytes", "calls"):
        assert word in made.stdout


def test_another_precursor_is_refused_and_nothing_written(tmp_path):
    old, new = pair("avr-own-small")
    patch, out = tmp_path / "patch", tmp_path / "out"
    assert mue("diff", old, new, "-o", patch).returncode == 0
    applied = mue("patch", new, patch, "-o", out)
    assert applied.returncode == 1
    assert not out.exists()


def test_a_damaged_patch_is_refused(tmp_path):
    old, new = pair("avr-own-small")
    patch, out = tmp_path / "patch", tmp_path / "out"
    assert mue("diff", old, new, "-o", patch).returncode == 0
    data = bytearray(patch.read_bytes())
    data[len(data) // 2] ^= 4
    patch.write_bytes(data)
    assert mue("patch", old, patch, "-o", out).returncode == 1
    assert not out.exists()
