#!/usr/bin/python3
"""pack.py OUT.c SCRIPT DIST FALLBACK: the built page as a table of C arrays.

Runs SCRIPT (scripts/ui.sh), which builds the page into DIST when Node is there.  Where that gives no page, FALLBACK
becomes index.html.  OUT is left alone when nothing changed, so that nothing is compiled again.
"""
import gzip
import hashlib
import pathlib
import subprocess
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def array(name, data):
    lines = [",".join(map(str, data[i:i + 40])) for i in range(0, len(data), 40)]
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(lines) + "\n};\n"


def collect(built, dist, fallback):
    if not built:
        return {"index.html": fallback.read_bytes()}
    return {p.name: p.read_bytes() for p in sorted(dist.glob("*")) if p.suffix in TYPES}


def source(files):
    arrays, table = [], []
    for i, (name, data) in enumerate(files.items()):
        small = gzip.compress(data, 9, mtime=0)
        arrays += [array(f"plain{i}", data), array(f"gzip{i}", small)]
        etag = hashlib.sha256(data).hexdigest()[:24]
        table.append(f'\t{{ "{name}", "{TYPES[pathlib.Path(name).suffix]}", "{etag}", plain{i}, gzip{i}, '
                     f"sizeof plain{i}, sizeof gzip{i} }},\n")
    return ("/* Made by server/ui/pack.py. */\n#include \"server/ui/ui.h\"\n\n" + "".join(arrays) +
            "const struct mue_ui_file mue_ui_files[] = {\n" + "".join(table) + "\t{ 0 },\n};\n")


def main():
    out, script, dist, fallback = map(pathlib.Path, sys.argv[1:])
    built = subprocess.run([script, "--quiet"], stdin=subprocess.DEVNULL).returncode == 0
    if not built:
        print(f"mue-server is built without its page ({script} says why)", file=sys.stderr)
    text = source(collect(built, dist, fallback))
    if not out.exists() or out.read_text() != text:
        out.write_text(text)


if __name__ == "__main__":
    main()
