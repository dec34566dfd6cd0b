#!/bin/sh
# release.sh [FOLDER] - the author's half of the road in six commands, with a configuration file as
# the only payload.  MUE names the program.  Leaves a key, a trust folder and a release in FOLDER.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mue=${MUE:-mue}
out=${1:-example}

mkdir -p "$out/trust"
export MUE_PASSPHRASE="${MUE_PASSPHRASE:-only for an example}"

"$mue" key new "$out/release.key"                      # encrypted; release.key.pub beside it
"$mue" key public "$out/release.key" -o "$out/trust/release.pub"
"$mue" pack --name lamp --version 1.0.1 --sequence 2 \
	--vendor acme.example --class lamp-1 \
	--component config:lamp="$here/lamp.conf" \
	--notes "$here/NOTES.txt" --sbom "$here/sbom.json" --security \
	-o "$out/release"
"$mue" sign "$out/release/lamp-1.0.1.suit" --key "$out/release.key"
"$mue" verify "$out/release/lamp-1.0.1.suit" --trust "$out/trust"
"$mue" inspect "$out/release/lamp-1.0.1.suit" --trust "$out/trust"
