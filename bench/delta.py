#!/usr/bin/python3
"""Patch sizes and times over all firmware pairs, beside Debian's tools, in one run.

usage: bench/delta.py [PAIR...]      pairs are folders of $MUE_SHARED/firmware-pairs with old and new

Every patch of ours is applied and compared.  Sizes include headers and digests.  Prints a line a
pair, then geometric means by class, relative to bsdiff, and whether any pair is worse than the best
of the other tools by more than 64 bytes + 2 %.
"""
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("MUE_BUILD", ROOT / "build"))
SHARED = Path(os.environ.get("MUE_SHARED", ROOT.parent / "shared"))
MUE = BUILD / "cli" / "mue"
GOALS = {"avr": 0.40, "cm": 0.36, "lx": 0.40}
NAMES = {"avr": "AVR", "cm": "Cortex-M", "lx": "Linux ELF", "img": "images"}
HEADER = 64


def run(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def measure(pair, tmp):
    """{tool: (bytes, CPU seconds)}"""
    old, new = str(pair / "old"), str(pair / "new")
    size = os.path.getsize(new)
    out = {}

    def tool(name, *command):
        target = tmp / name
        cpu = run(*[str(target) if c == "OUT" else c for c in command])
        out[name] = (os.path.getsize(target), cpu)

    tool("mue", str(MUE), "diff", old, new, "-o", "OUT")
    back = tmp / "back"
    run(str(MUE), "patch", old, str(tmp / "mue"), "-o", str(back))
    if back.read_bytes() != Path(new).read_bytes():
        raise SystemExit(f"{pair.name}: the patch gave another image")
    tool("bsdiff", "bsdiff", old, new, "OUT")
    tool("xdelta3", "xdelta3", "-e", "-f", "-9", "-S", "lzma", "-B", "268435456", "-s", old, new, "OUT")
    level = ["--ultra", "-22"] if size < 8 << 20 else ["-19"]
    tool("zstd", "zstd", "-q", "-f", *level, "--long=27", f"--patch-from={old}", new, "-o", "OUT")
    xz = tmp / "xz.in"
    xz.write_bytes(Path(new).read_bytes())
    cpu = run("xz", "-9e", "-k", "-f", str(xz))
    out["xz"] = (os.path.getsize(str(xz) + ".xz"), cpu)
    return out


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def main():
    if not MUE.exists():
        raise SystemExit(f"{MUE} is not built")
    folder = SHARED / "firmware-pairs"
    names = sys.argv[1:] or sorted(p.name for p in folder.iterdir() if (p / "old").exists())
    classes, worse = {}, []
    start = time.time()
    print(f"{'pair':32}{'new':>10}{'xz -9e':>10}{'bsdiff':>10}{'xdelta3':>10}{'zstd':>10}"
          f"{'mue':>10}{'/bsdiff':>9}{'cpu':>7}{'/bsdiff':>9}")
    with tempfile.TemporaryDirectory() as t:
        for name in names:
            pair = folder / name
            got = measure(pair, Path(t))
            ours, cpu = got["mue"]
            ratio = ours / got["bsdiff"][0]
            speed = cpu / max(got["bsdiff"][1], 0.001)
            best = min(v[0] for k, v in got.items() if k != "mue")
            if ours > best * 1.02 + HEADER:
                worse.append(name)
            classes.setdefault(name.split("-")[0], []).append((ratio, speed, os.path.getsize(pair / "new")))
            print(f"{name:32}{os.path.getsize(pair / 'new'):>10}{got['xz'][0]:>10}{got['bsdiff'][0]:>10}"
                  f"{got['xdelta3'][0]:>10}{got['zstd'][0]:>10}{ours:>10}{ratio:>9.3f}{cpu:>7.2f}{speed:>9.2f}",
                  flush=True)
    print()
    missed = 0
    for key, rows in classes.items():
        mean = geomean([r[0] for r in rows])
        goal = GOALS.get(key)
        verdict = "" if goal is None else f", goal {goal:.2f}: {'met' if mean <= goal else 'MISSED'}"
        missed += goal is not None and mean > goal
        print(f"{NAMES.get(key, key)}: {mean:.3f} x bsdiff over {len(rows)} pairs{verdict}")
    large = [r[1] for rows in classes.values() for r in rows if r[2] > 1 << 20]
    if large:
        print(f"encoder CPU on pairs above 1 MB: {geomean(large):.2f} x bsdiff")
    print(f"worse than the best other tool by more than {HEADER} bytes + 2 %: {', '.join(worse) or 'none'}")
    print(f"{len(names)} pairs in {time.time() - start:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
