"""mue key, pack, sign, verify, inspect: the author's half of the road, through the real program."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MUE_BUILD", ROOT / "build"))
MUE = BUILD / "cli" / "mue"

OK, REFUSED, USAGE, IO, SERVER, KEY = 0, 1, 2, 3, 4, 5


class Cli:
    """Runs mue in a folder of its own; no terminal, no variable of the caller's."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "MUE_PASSPHRASE": "correct horse"}

    def __call__(self, *args, rc=OK, **env):
        r = subprocess.run([MUE, *map(str, args)], cwd=self.folder, env={**self.env, **env}, text=True,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=120, start_new_session=True)
        assert r.returncode == rc, f"mue {' '.join(map(str, args))}: exit {r.returncode}\n{r.stdout}{r.stderr}"
        return r

    def write(self, name, data=b"image " * 1000):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def pack(self, *more, rc=OK, version="2.1.0", sequence=7, component="os:rootfs=rootfs.img", **env):
        return self("pack", "--name", "app-os", "--version", version, "--sequence", sequence,
                    "--vendor", "acme.example", "--class", "gw-1", "--component", component,
                    "-o", "out", *more, rc=rc, **env)


@pytest.fixture
def cli(tmp_path):
    c = Cli(tmp_path)
    c.write("rootfs.img")
    return c


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """One key of each kind, made once."""
    c = Cli(tmp_path_factory.mktemp("keys"))
    for kind, more in (("es256", ()), ("ed25519", ()), ("lms", ("--height", "5"))):
        c("key", "new", "--kind", kind, *more, f"{kind}.key")
    return c.folder


@pytest.fixture
def token(tmp_path):
    """A fresh SoftHSM2 token called mue, PIN 1234."""
    tool = shutil.which("softhsm2-util")
    assert tool, "softhsm2-util is missing; scripts/deps.sh installs it"
    conf = tmp_path / "softhsm2.conf"
    (tmp_path / "tokens").mkdir()
    conf.write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    env = {"SOFTHSM2_CONF": str(conf)}
    subprocess.run([tool, "--init-token", "--free", "--label", "mue", "--pin", "1234", "--so-pin", "1234"],
                   env={**os.environ, **env}, check=True, capture_output=True)
    return env


def inspect(cli, *more, rc=OK, envelope="out/app-os-2.1.0.suit"):
    return json.loads(cli("inspect", "--json", *more, envelope, rc=rc).stdout)


def only_these(folder, names):
    assert sorted(p.name for p in folder.iterdir()) == sorted(names)


# --- the road, per kind of key ---

@pytest.mark.parametrize("kind", ["es256", "ed25519", "lms"])
def test_pack_sign_verify(cli, keys, kind):
    cli.pack()
    cli("verify", "out/app-os-2.1.0.suit", "--key", keys / f"{kind}.key.pub", rc=REFUSED)
    out = cli("sign", "out/app-os-2.1.0.suit", "--key", keys / f"{kind}.key").stdout
    assert kind in out
    out = cli("verify", "out/app-os-2.1.0.suit", "--key", keys / f"{kind}.key.pub").stdout
    assert "good: app-os 2.1.0, sequence 7" in out


def test_every_kind_in_one_envelope_and_each_alone_is_enough(cli, keys):
    cli.pack()
    specs = [x for kind in ("es256", "ed25519", "lms") for x in ("--key", keys / f"{kind}.key")]
    cli("sign", "out/app-os-2.1.0.suit", *specs)
    for kind in ("es256", "ed25519", "lms"):
        cli("verify", "out/app-os-2.1.0.suit", "--key", keys / f"{kind}.key.pub")
    info = inspect(cli, "--trust", keys)
    assert [s["algorithm"] for s in info["signatures"]] == ["ES256", "Ed25519", "HSS/LMS"]
    assert all(s["holds"] for s in info["signatures"])
    # One of them known: the others are shown as not holding, and the verdict is still good.
    info = inspect(cli, "--key", keys / "ed25519.key.pub")
    assert [s["holds"] for s in info["signatures"]] == [False, True, False]


@pytest.mark.parametrize("kind", ["es256", "ed25519"])
def test_a_key_in_a_token(cli, token, kind):
    uri = "pkcs11:token=mue;object=release"
    cli("key", "new", "--kind", kind, uri, MUE_PIN="1234", **token)
    r = cli("key", "new", "--kind", kind, uri, rc=IO, MUE_PIN="1234", **token)
    assert "is there already; keys are never overwritten" in r.stderr
    cli("key", "public", uri, "-o", "release.pub", MUE_PIN="1234", **token)
    listed = cli("key", "list", "pkcs11:token=mue", **token).stdout  # no PIN: these are public
    assert listed.startswith(kind) and listed.endswith(uri + "\n")
    cli.pack()
    r = cli("sign", "out/app-os-2.1.0.suit", "--key", uri, rc=KEY, MUE_PIN="9999", **token)
    assert "PIN" in r.stderr
    cli.write("pin", b"1234\n")
    cli("sign", "out/app-os-2.1.0.suit", "--key", f"{uri}?pin-source=file:{cli.folder}/pin", **token)
    cli("verify", "out/app-os-2.1.0.suit", "--key", "release.pub")


def test_lms_counts_down_and_ends(cli):
    cli("key", "new", "--kind", "lms", "--height", "5", "--width", "8", "boot.key")
    for i in range(32):
        cli.pack(version=f"1.{i}")
        out = cli("sign", f"out/app-os-1.{i}.suit", "--key", "boot.key").stdout
        assert f"boot.key: {31 - i} signatures left" in out
    cli.pack(version="1.32")
    before = (cli.folder / "out/app-os-1.32.suit").read_bytes()
    r = cli("sign", "out/app-os-1.32.suit", "--key", "boot.key", rc=KEY)
    assert "boot.key" in r.stderr
    assert (cli.folder / "out/app-os-1.32.suit").read_bytes() == before


@pytest.mark.parametrize("part", ["journal", "state"])
def test_an_lms_key_of_yesterday_is_refused(cli, part):
    cli("key", "new", "--kind", "lms", "--height", "5", "boot.key")
    kept = (cli.folder / f"boot.key.{part}").read_bytes()
    for version in ("2.0", "2.1"):
        cli.pack(version=version)
        cli("sign", f"out/app-os-{version}.suit", "--key", "boot.key")
    (cli.folder / f"boot.key.{part}").write_bytes(kept)
    cli.pack(version="2.2")
    cli("sign", "out/app-os-2.2.suit", "--key", "boot.key", rc=KEY)


def test_no_signature_is_used_up_when_another_key_fails(cli, keys):
    cli("key", "new", "--kind", "lms", "--height", "5", "boot.key")
    cli.pack()
    r = cli("sign", "out/app-os-2.1.0.suit", "--key", "boot.key", "--key", keys / "es256.key", rc=KEY,
            MUE_PASSPHRASE="wrong")
    assert "passphrase" in r.stderr
    cli("sign", "out/app-os-2.1.0.suit", "--key", "boot.key", "--key", "nowhere.key", rc=IO)
    assert "31 signatures left" in cli("sign", "out/app-os-2.1.0.suit", "--key", "boot.key").stdout


# --- keys ---

def test_key_files_are_secret_and_encrypted(cli):
    cli("key", "new", "a.key")
    assert (cli.folder / "a.key").stat().st_mode & 0o777 == 0o600
    text = (cli.folder / "a.key").read_text()
    assert "ENCRYPTED PRIVATE KEY" in text
    assert "PUBLIC KEY" in (cli.folder / "a.key.pub").read_text()
    # OpenSSL, which none of our code knows, opens it with the same passphrase.
    r = subprocess.run(["openssl", "pkey", "-in", "a.key", "-passin", "pass:correct horse", "-pubout"],
                       cwd=cli.folder, text=True, capture_output=True, check=True)
    assert r.stdout == (cli.folder / "a.key.pub").read_text()


def test_key_list_and_public(cli):
    cli("key", "new", "a.key")
    cli("key", "new", "--kind", "ed25519", "b.key")
    lines = cli("key", "list").stdout.splitlines()
    assert [l.split()[0] for l in lines] == ["es256", "ed25519"]
    assert lines[0].endswith("a.key  (private key beside it)")
    assert cli("key", "public", "a.key").stdout == (cli.folder / "a.key.pub").read_text()
    (cli.folder / "a.key.pub").unlink()
    assert "PUBLIC KEY" in cli("key", "public", "a.key").stdout  # now by the passphrase
    cli("key", "public", "a.key", rc=KEY, MUE_PASSPHRASE="wrong")


def test_passphrase_file_wins_and_its_first_line_counts(cli):
    cli.write("pass", b"from the file\nsecond line\n")
    cli("key", "new", "a.key", "--passphrase-file", "pass")
    cli.pack()
    cli("sign", "out/app-os-2.1.0.suit", "--key", "a.key", rc=KEY)
    cli("sign", "out/app-os-2.1.0.suit", "--key", "a.key", MUE_PASSPHRASE="from the file")


def test_nobody_to_ask_for_the_passphrase(cli):
    del cli.env["MUE_PASSPHRASE"]
    r = cli("key", "new", "a.key", rc=IO)
    assert "--passphrase-file" in r.stderr
    assert not (cli.folder / "a.key").exists()


# --- pack ---

def test_pack_is_deterministic_and_says_everything(cli):
    cli.write("bom.json", b"{}")
    cli.write("app.conf", b"x=1\n")
    more = ("--security-counter", 3, "--security", "--sbom", "bom.json", "--notes", "Fixes a hole.",
            "--min-battery", 40, "--component", "config:net=app.conf,version=1.2")
    cli.pack(*more)
    first = (cli.folder / "out/app-os-2.1.0.suit").read_bytes()
    only_these(cli.folder / "out", ["app-os-2.1.0.suit", "app-os-2.1.0.rootfs.img", "app-os-2.1.0.net.conf"])
    cli.pack(*more, "--force")
    assert (cli.folder / "out/app-os-2.1.0.suit").read_bytes() == first

    info = inspect(cli)
    image = (cli.folder / "rootfs.img").read_bytes()
    assert info["name"] == "app-os" and info["version"] == "2.1.0" and info["sequence"] == 7
    assert info["securityCounter"] == 3 and info["kind"] == "security" and info["minBattery"] == 40
    assert info["notes"] == "Fixes a hole."
    assert info["sbom"] == hashlib.sha256(b"{}").hexdigest()
    # UUIDv5 by the rule of the manifest draft, 8.4.8.2, by another implementation.
    import uuid
    vendor = uuid.uuid5(uuid.NAMESPACE_DNS, "acme.example")
    assert info["vendor"] == str(vendor) and info["class"] == str(uuid.uuid5(vendor, "gw-1"))
    assert [c["kind"] for c in info["components"]] == ["os", "config"]
    assert [c["version"] for c in info["components"]] == ["2.1.0", "1.2"]
    assert info["components"][0]["digest"] == hashlib.sha256(image).hexdigest()
    assert info["components"][0]["size"] == len(image)
    assert all(c["payloadOk"] for c in info["components"])
    assert info["signatures"] == []
    text = cli("inspect", "out/app-os-2.1.0.suit").stdout
    for word in ("app-os", "2.1.0", "security fix", "Fixes a hole.", "at least 40 %", "config net 1.2", "whole",
                 "none: no device will take it", hashlib.sha256(image).hexdigest()):
        assert word in text, f"{word} is not in\n{text}"


def test_integrated_needs_no_file_beside_it(cli, keys):
    cli.pack("--integrated")
    only_these(cli.folder / "out", ["app-os-2.1.0.suit"])
    assert b"image image" in (cli.folder / "out/app-os-2.1.0.suit").read_bytes()
    cli("sign", "out/app-os-2.1.0.suit", "-k", keys / "es256.key")
    cli("verify", "out/app-os-2.1.0.suit", "-k", keys / "es256.key.pub")
    assert inspect(cli)["components"][0]["payload"] == "whole, in the envelope"


def test_a_release_never_changes_unless_forced(cli):
    cli.pack()
    before = (cli.folder / "out/app-os-2.1.0.suit").read_bytes()
    r = cli.pack("--security-counter", 9, rc=IO)
    assert "raise --version" in r.stderr
    assert (cli.folder / "out/app-os-2.1.0.suit").read_bytes() == before


def test_what_fails_leaves_no_release(cli):
    cli.pack("--component", "config:net=missing.conf", rc=IO)
    assert not (cli.folder / "out/app-os-2.1.0.suit").exists()
    assert not list((cli.folder / "out").glob("*.tmp"))


def test_hard_links_share_the_file(cli):
    cli.pack("--link")
    assert os.path.samefile(cli.folder / "rootfs.img", cli.folder / "out/app-os-2.1.0.rootfs.img")
    cli.pack("--link", "--force")
    only_these(cli.folder / "out", ["app-os-2.1.0.suit", "app-os-2.1.0.rootfs.img"])
    cli.pack("--force")
    assert not os.path.samefile(cli.folder / "rootfs.img", cli.folder / "out/app-os-2.1.0.rootfs.img")


def test_precursor_from_a_file_and_from_hex(cli):
    cli.write("old.img", b"old")
    digest = hashlib.sha256(b"old").hexdigest()
    cli.pack("--precursor", "old.img")
    assert inspect(cli)["components"][0]["precursor"] == digest
    cli.pack("--precursor", digest, "--force")
    assert inspect(cli)["components"][0]["precursor"] == digest


def test_profiles(cli):
    cli.write("app.bin")
    cli.pack("--profile", "p0", component="firmware:app=app.bin")
    assert inspect(cli)["profile"] == "p0"
    cli.write("b.bin")
    r = cli.pack("--profile", "p0", "--component", "firmware:b=b.bin", rc=REFUSED, version="3",
                 component="firmware:app=app.bin")
    assert "p0" in r.stderr
    assert not (cli.folder / "out/app-os-3.suit").exists()


# --- what is wrong is named ---

PACK = ["pack", "--name", "a", "--version", "1", "--sequence", "1", "--vendor", "v.example", "--class", "c", "-o", "out"]

BAD = [
    # what is wrong, command, exit code, part of the sentence
    ("no command", ["frobnicate"], USAGE, 'no command "frobnicate"; see: mue help'),
    ("no second word", ["key"], USAGE, "mue key new"),
    ("a slip in an option", ["pack", "--sequnce", "1"], USAGE, "did you mean --sequence?"),
    ("nothing needed is there", ["pack"], USAGE, "--name NAME is needed"),
    ("an argument too many", ["verify", "a.suit", "b.suit", "--key", "k.pub"], USAGE, '"b.suit"'),
    ("an argument too few", ["sign", "--key", "k"], USAGE, "wants ENVELOPE.suit"),
    ("sequence 0", PACK[:6] + ["0"] + PACK[7:] + ["-c", "os:r=rootfs.img"], USAGE, "--sequence wants a number from 1"),
    ("a name with a slash", PACK[:2] + ["../a"] + PACK[3:] + ["-c", "os:r=rootfs.img"], USAGE, "--name is 1 to 63"),
    ("an unknown kind", PACK + ["-c", "disk:r=rootfs.img"], USAGE, "its kind is one of os|firmware"),
    ("an image that is not there", PACK + ["-c", "os:r=nowhere.img"], IO, "nowhere.img"),
    ("an empty image", PACK + ["-c", "os:r=empty.img"], USAGE, "empty.img is not a file with content"),
    ("a folder as image", PACK + ["-c", "os:r=."], USAGE, "is not a file with content"),
    ("two components of one name", PACK + ["-c", "os:r=rootfs.img", "-c", "config:r=rootfs.img"], USAGE,
     "give them different names"),
    ("security and feature", PACK + ["-c", "os:r=rootfs.img", "--security", "--feature"], USAGE, "one of them"),
    ("an unknown profile", PACK + ["-c", "os:r=rootfs.img", "--profile", "p9"], USAGE, "one of p0|p1|p2"),
    ("a precursor that is nothing", PACK + ["-c", "os:r=rootfs.img", "--precursor", "abc"], IO, "64 hex digits"),
    ("an SBOM that is not there", PACK + ["-c", "os:r=rootfs.img", "--sbom", "no.json"], IO, "no.json"),
    ("no such envelope", ["inspect", "no.suit"], IO, "no.suit"),
    ("an image as envelope", ["inspect", "rootfs.img"], REFUSED, "rootfs.img is no envelope that Mue takes"),
    ("an empty envelope", ["inspect", "empty.img"], REFUSED, "empty.img"),
    ("nobody to believe", ["verify", "rootfs.img"], USAGE, "give --trust FOLDER or --key FILE.pub"),
    ("an empty trust folder", ["verify", "rootfs.img", "--trust", "empty"], KEY, "nobody is trusted"),
    ("an image as key", ["verify", "rootfs.img", "--key", "rootfs.pub"], REFUSED, "rootfs.pub"),
    ("no such key", ["sign", "rootfs.img", "--key", "no.key"], IO, "no.key"),
    ("a height between", ["key", "new", "--kind", "lms", "--height", "7", "k"], USAGE, "5, 10, 15 or 20, not 7"),
    ("lms options for another kind", ["key", "new", "--height", "5", "k"], USAGE, "are for --kind lms"),
    ("lms in a token", ["key", "new", "--kind", "lms", "pkcs11:token=t;object=o"], USAGE, "an lms key is a file"),
    ("no server named", ["status"], USAGE, "MUE_SERVER"),
    ("a token in the clear", ["status", "--server", "http://updates.example", "--token", "x"], USAGE, "wants https://"),
    ("no token named", ["status", "--server", "https://127.0.0.1:1"], USAGE, "MUE_TOKEN"),
    ("nobody listens", ["status", "--server", "https://127.0.0.1:1", "--token", "x"], IO, "127.0.0.1:1"),
    ("stages that leave devices out", ["rollout", "create", "r", "--ds", "a:1", "--stages", "1"], USAGE, "100%"),
    ("an unknown shell", ["completion", "csh"], USAGE, "knows bash"),
]


@pytest.mark.parametrize("what,args,rc,sentence", BAD, ids=[b[0] for b in BAD])
def test_what_is_wrong_is_named(cli, what, args, rc, sentence):
    cli.write("empty.img", b"")
    cli.write("rootfs.pub", b"no key at all\n")
    (cli.folder / "empty").mkdir()
    r = cli(*args, rc=rc)
    assert sentence in r.stderr, r.stderr
    assert r.stderr.startswith("mue") or r.stderr.startswith("Usage: mue")
    assert not (cli.folder / "out" / "a-1.suit").exists()


# --- tampering ---

@pytest.fixture
def signed(cli, keys):
    cli.pack()
    cli("sign", "out/app-os-2.1.0.suit", "--key", keys / "es256.key")
    return cli


def test_a_tampered_payload_is_named(signed, keys):
    path = signed.folder / "out/app-os-2.1.0.rootfs.img"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    r = signed("verify", "out/app-os-2.1.0.suit", "--key", keys / "es256.key.pub", rc=REFUSED)
    assert "app-os-2.1.0.rootfs.img was tampered with" in r.stderr
    r = signed("inspect", "out/app-os-2.1.0.suit", rc=REFUSED)
    assert "TAMPERED" in r.stdout and "app-os-2.1.0.rootfs.img" in r.stderr
    assert not inspect(signed, rc=REFUSED)["components"][0]["payloadOk"]
    signed("verify", "out/app-os-2.1.0.suit", "--envelope-only", "--key", keys / "es256.key.pub")


def test_a_longer_payload_is_tampered_with_too(signed, keys):
    with open(signed.folder / "out/app-os-2.1.0.rootfs.img", "ab") as f:
        f.write(b"x")
    signed("verify", "out/app-os-2.1.0.suit", "--key", keys / "es256.key.pub", rc=REFUSED)


def test_a_missing_payload_is_named(signed, keys):
    (signed.folder / "out/app-os-2.1.0.rootfs.img").unlink()
    r = signed("verify", "out/app-os-2.1.0.suit", "--key", keys / "es256.key.pub", rc=IO)
    assert "app-os-2.1.0.rootfs.img is missing" in r.stderr
    assert "MISSING" in signed("inspect", "out/app-os-2.1.0.suit").stdout


def test_no_flipped_byte_of_the_envelope_verifies(signed, keys):
    path = signed.folder / "out/app-os-2.1.0.suit"
    good = path.read_bytes()
    flips = range(0, len(good), 7)
    for i in flips:
        bad = bytearray(good)
        bad[i] ^= 0x20
        path.write_bytes(bad)
        r = signed("verify", "out/app-os-2.1.0.suit", "--key", keys / "es256.key.pub", rc=REFUSED)
        assert "good" not in r.stdout
    assert len(flips) > 30


def test_another_key_does_not_do(signed, keys):
    signed("key", "new", "other.key")
    r = signed("verify", "out/app-os-2.1.0.suit", "--key", "other.key.pub", rc=REFUSED)
    assert "out/app-os-2.1.0.suit" in r.stderr


def test_the_same_key_signs_once(signed, keys):
    before = (signed.folder / "out/app-os-2.1.0.suit").read_bytes()
    r = signed("sign", "out/app-os-2.1.0.suit", "--key", keys / "es256.key", rc=REFUSED)
    assert "already" in r.stderr
    assert (signed.folder / "out/app-os-2.1.0.suit").read_bytes() == before


def test_sign_into_another_file(cli, keys):
    cli.pack()
    before = (cli.folder / "out/app-os-2.1.0.suit").read_bytes()
    cli("sign", "out/app-os-2.1.0.suit", "--key", keys / "es256.key", "-o", "out/signed.suit")
    assert (cli.folder / "out/app-os-2.1.0.suit").read_bytes() == before
    cli("verify", "out/signed.suit", "--key", keys / "es256.key.pub")


# --- help, completion, manual ---

def commands():
    text = subprocess.run([MUE, "help"], capture_output=True, text=True, check=True).stdout
    names = []
    for line in text.split("\n\n")[2].splitlines():
        names.append(line[2:18].strip())
    return names


def test_help_is_everywhere_and_has_examples(cli):
    names = commands()
    assert len(names) >= 20 and "rollout create" in names
    for name in names:
        text = cli(*name.split(), "--help").stdout
        assert text.startswith(f"mue {name} - ") and "Usage: mue " + name in text and "\n  $ " in text, name
        assert cli("help", *name.split()).stdout == text


def test_exit_codes_are_documented(cli):
    text = cli("help").stdout
    for code in range(7):
        assert f"\n  {code}   " in text


def complete(script, line):
    """What bash offers behind `line`."""
    words = line.split(" ")
    code = f"""source {script}
COMP_WORDS=({' '.join("'" + w + "'" for w in words)}); COMP_CWORD={len(words) - 1}
_mue 2>/dev/null; printf '%s\\n' "${{COMPREPLY[@]}}" """
    out = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, cwd=script.parent).stdout
    return out.split()


COMPLETIONS = [
    ("mue ", "rollout"), ("mue ro", "rollout"), ("mue rollout ", "watch"), ("mue key new --k", "--kind"),
    ("mue key new --kind ", "ed25519"), ("mue pack --prof", "--profile"), ("mue pack --profile ", "p1"),
    ("mue sign ro", "rootfs.img"), ("mue publish --ser", "--server"), ("mue rollout create x --on-error ", "stop"),
]


def test_bash_completes(cli):
    script = cli.folder / "mue.bash"
    script.write_text(cli("completion", "bash").stdout)
    for line, offer in COMPLETIONS:
        got = complete(script, line)
        assert offer in got, f"{line!r}: {got}"
    assert complete(script, "mue rollout cr") == ["create"]


@pytest.mark.parametrize("args,path", [(("completion", "bash"), "packaging/completion/mue"),
                                       (("help", "--man"), "packaging/man/mue.1")])
def test_packaged_files_are_those_the_program_prints(cli, args, path):
    assert cli(*args).stdout == (ROOT / path).read_text(), f"remedy: mue {' '.join(args)} > {path}"


def test_the_manual_page_has_no_error():
    r = subprocess.run(["mandoc", "-Tlint", "-Werror", ROOT / "packaging/man/mue.1"], capture_output=True, text=True)
    assert r.returncode == 0, r.stdout


def test_the_example_works(cli):
    r = subprocess.run([ROOT / "examples/release/release.sh", "example"], cwd=cli.folder, text=True,
                       capture_output=True, env={**cli.env, "MUE": str(MUE)}, timeout=60)
    assert r.returncode == 0, r.stderr
    assert "good: lamp 1.0.1, sequence 2, signed by release" in r.stdout and ": holds" in r.stdout
