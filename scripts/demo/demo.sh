#!/bin/sh
# demo.sh - the whole road once, for real.  MUE_BUILD: where the programs are (build).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec /usr/bin/python3 "$here/demo.py" "$@"
