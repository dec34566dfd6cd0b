"""make demo: it holds what it says, leaves no process behind, and fails when what it says is not so."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def place():
    """A folder that the agents' unprivileged user may enter."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="mue-demo-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def demo(place, **env):
    return subprocess.run([ROOT / "scripts/demo/demo.sh"], env={**os.environ, "MUE_DEMO_DIR": str(place / "demo"), **env},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)


def processes(place):
    found = []
    for p in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(place).encode() in p.read_bytes():
                found.append(p.read_bytes())
        except OSError:
            pass
    return found


def test_the_demo_holds_what_it_says(place):
    r = demo(place)
    assert r.returncode == 0, r.stdout[-3000:] + r.stderr
    assert "\033" not in r.stdout
    for line in ("checked: 12 of 12 run and report 2.0.0 from slot B; stages of [1, 1, 3, 7]",
                 "failed its health check and went back to 2.0.0; the rollout stopped; 11 devices were never touched",
                 "everything said above was checked"):
        assert line in r.stdout, r.stdout
    assert not processes(place)


def test_the_demo_fails_when_its_claims_do_not_hold(place):
    r = demo(place, MUE_DEMO_SICK="no")
    assert r.returncode == 1, r.stdout[-3000:]
    assert "this does not hold: the rollout stops by itself (it is finished)" in r.stderr
    assert not processes(place)
