#!/usr/bin/python3
"""Runs every test of Mue and ends with one line: N passed, N failed, N skipped.

Phases: checks (scripts/check), unit tests (meson, under ASan and UBSan), fuzz targets, end to end (pytest).
--long adds the campaigns; --only PHASE[,PHASE] runs a part.  MUE_FUZZ_SECONDS overrides 20 s a target.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
ASAN = BUILD / "asan"


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add(self, name, verdict, text=""):
        if verdict == "pass":
            self.passed += 1
        elif verdict == "skip":
            self.skipped.append((name, text))
            print(f"  SKIP {name}: {text.strip()[:200]}")
        else:
            self.failed.append((name, text))
            print(f"  FAIL {name}\n{indent(text)}", flush=True)


def indent(text, lines=60):
    return "\n".join("       " + l for l in text.strip().splitlines()[-lines:])


def run(cmd, **kw):
    return subprocess.run(cmd, cwd=ROOT, text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **kw)


def checks(tally, opts):
    for script in sorted((ROOT / "scripts/check").glob("*.sh")):
        if script.name == "all.sh":
            continue
        r = run([script])
        tally.add(f"check {script.stem}", "fail" if r.returncode else "pass", r.stdout)
        if script.stem.endswith("sizes") and r.returncode == 0:
            print(indent(r.stdout))


def junit(tally, path, prefix):
    """Counts the cases of a JUnit file; returns how many there were."""
    n = 0
    for case in ET.parse(path).getroot().iter("testcase"):
        n += 1
        name = f"{prefix} {case.get('classname') or ''} {case.get('name')}"
        bad = case.find("failure")
        if bad is None:
            bad = case.find("error")
        skip = case.find("skipped")
        if bad is not None:
            tally.add(name, "fail", (bad.get("message") or "") + "\n" + (bad.text or ""))
        elif skip is not None:
            tally.add(name, "skip", skip.get("message") or skip.text or "no reason given")
        else:
            tally.add(name, "pass")
    return n


def unit(tally, opts):
    r = run(["ninja", "-C", ASAN])
    if r.returncode:
        tally.add("unit build", "fail", r.stdout)
        return
    out = ASAN / "meson-logs/testlog.junit.xml"
    out.unlink(missing_ok=True)
    suites = ["--suite", "unit"] + (["--suite", "long"] if opts.long else [])
    r = run(["meson", "test", "-C", ASAN, "--no-rebuild", "--timeout-multiplier",
             "20" if opts.long else "3", "--num-processes", "2"] + suites)
    if not out.exists() or junit(tally, out, "unit") == 0:
        tally.add("unit", "fail", r.stdout)
        return
    log = (ASAN / "meson-logs/testlog.txt").read_text(errors="replace")
    if r.returncode:  # the whole program's output tells more than the case's name
        names = [l for l in r.stdout.splitlines() if re.search(r"FAIL|TIMEOUT|ERROR", l)]
        print(indent("\n".join(names)))
        print(indent("\n".join(l for l in log.splitlines()
                               if re.search(r"not ok|# |ERROR|runtime error|==\d+==", l)), 120))
    for line in log.splitlines():  # what a test prints to be seen: counts, and vectors that no profile covers
        seen = re.search(r"(FIGURE |not covered: ).*", line)
        if seen:
            print("  " + seen.group())


def fuzz_build(source):
    text = source.read_text()
    field = lambda f: " ".join(re.findall(rf"{f}:\s*(.*?)\s*(?:\*/)?$", text, re.M)).split()
    out = BUILD / "fuzz" / source.stem
    out.parent.mkdir(parents=True, exist_ok=True)
    cmd = ["clang", "-g", "-O1", "-std=c11", "-fsanitize=fuzzer,address,undefined",
           "-fno-sanitize-recover=undefined", "-D_GNU_SOURCE", "-I.", str(source), *field("FUZZ_SOURCES"),
           "-o", str(out), *field("FUZZ_LIBS")]
    return out, run(cmd)


def fuzz_one(source, seconds):
    exe, built = fuzz_build(source)
    if built.returncode:
        return source.stem, "fail", built.stdout, 0
    corpus = BUILD / "fuzz-corpus" / source.stem
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "tests/fuzz/corpus" / source.stem
    args = [exe, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1500", "-verbosity=1",
            f"-artifact_prefix={BUILD}/fuzz/{source.stem}-", corpus]
    r = run(args + ([seeds] if seeds.is_dir() else []))
    runs = re.findall(r"Done (\d+) runs", r.stdout)
    ok = r.returncode == 0 and runs
    return source.stem, "pass" if ok else "fail", r.stdout, int(runs[0]) if runs else 0


def fuzz(tally, opts):
    seconds = int(os.environ.get("MUE_FUZZ_SECONDS", "600" if opts.long else "20"))
    sources = sorted((ROOT / "tests/fuzz").glob("*.c"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, verdict, text, runs in pool.map(lambda s: fuzz_one(s, seconds), sources):
            tally.add(f"fuzz {name}", verdict, text)
            print(f"  fuzz {name}: {runs} runs in {seconds} s")


def e2e(tally, opts):
    out = BUILD / "e2e.xml"
    out.unlink(missing_ok=True)
    env = dict(os.environ, MUE_BUILD=str(BUILD), PYTHONDONTWRITEBYTECODE="1")
    if opts.long:
        env["MUE_LONG"] = "1"
    cmd = ["/usr/bin/python3", "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider",
           "--junitxml", str(out), "-o", "junit_logging=out-err", "-rA", "tests/e2e"]
    r = run(cmd, env=env)
    if not out.exists() or junit(tally, out, "e2e") == 0:
        tally.add("e2e", "fail", r.stdout)
    for line in r.stdout.splitlines():
        if line.startswith("FIGURE "):
            print("  " + line)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--long", action="store_true")
    p.add_argument("--only", default="")
    opts = p.parse_args()
    tally = Tally()
    phases = [checks, unit, fuzz, e2e]
    for phase in phases:
        if opts.only and phase.__name__ not in opts.only.split(","):
            continue
        start = time.time()
        print(f"== {phase.__name__}", flush=True)
        phase(tally, opts)
        print(f"   {time.time() - start:.0f} s, {tally.passed} passed so far", flush=True)
    if tally.failed:
        print("\nfailed:")
        for name, _ in tally.failed:
            print(f"  {name}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
