"""The operator's page: every path in a real browser, and how the server hands the page out."""
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile

import conftest
import pytest
import requests
import ui_rig

UI = conftest.SOURCE / "ui"
SHOTS = conftest.BUILD / "ui-screenshots"
PATHS = re.search(r"export const paths = \{ (.*) \}", (UI / "tests/paths.mjs").read_text()).group(1).split(", ")

# One browser, one server: all in one worker.
pytestmark = pytest.mark.xdist_group("ui")


def why_no_browser():
    node = shutil.which("node")
    if not node:
        return "node is missing"
    if int(subprocess.run([node, "-p", "process.versions.node.split('.')[0]"], capture_output=True,
                          text=True, check=True).stdout) < 18:
        return "node is older than 18"
    if not shutil.which("chromium"):
        return "chromium is missing"
    if not (UI / "node_modules/playwright-core").is_dir():
        return "ui/node_modules is missing: scripts/ui.sh fills it"
    return ""


@pytest.fixture(scope="module")
def site():
    folder = tempfile.mkdtemp(prefix="mue-ui-")
    s = ui_rig.Site(folder)
    yield s
    s.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def walked(site):
    """What drive.mjs said of each path."""
    reason = why_no_browser()
    if reason:
        pytest.skip(reason)
    site.seed()
    ids = list(site.tokens)
    pilots = ids[:3] + ids[18:]
    site.tag("pilot", "#15803d", pilots)
    site.answer(pilots)
    env = {**os.environ, "MUE_UI_URL": site.server.http_url, "MUE_UI_TOKEN": site.server.token,
           "MUE_UI_SHOTS": str(SHOTS), "MUE_UI_FILES": str(site.folder), "MUE_UI_CHROMIUM": shutil.which("chromium")}
    out = subprocess.run(["node", "tests/drive.mjs"], cwd=UI, env=env, capture_output=True, text=True, timeout=120)
    print(out.stdout, out.stderr)
    return {re.match(r"(?:not )?ok (\w+)", line).group(1): line
            for line in out.stdout.splitlines() if re.match(r"(?:not )?ok \w+", line)}


@pytest.mark.parametrize("path", PATHS)
def test_path(walked, path):
    assert walked.get(path, "was not walked").startswith("ok "), walked.get(path)


def fetch(site, path, method="GET", **headers):
    session = requests.Session()
    session.trust_env = False
    return session.request(method, site.server.http_url + path, headers={"Accept-Encoding": "identity", **headers},
                           timeout=10, stream=True)


def test_page_for_anybody_under_a_strict_policy(site):
    r = fetch(site, "/")
    assert r.status_code == 200 and r.headers["Content-Type"].startswith("text/html")
    assert "default-src 'self'" in r.headers["Content-Security-Policy"]
    assert "unsafe" not in r.headers["Content-Security-Policy"]
    assert r.headers["X-Content-Type-Options"] == "nosniff"
    # Nothing inline, so nothing that the policy would forbid.
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", r.text)


def test_compressed_where_the_client_takes_it(site):
    plain = fetch(site, "/").content
    r = fetch(site, "/", **{"Accept-Encoding": "br, gzip;q=0.8"})
    assert r.headers["Content-Encoding"] == "gzip" and r.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(r.raw.read(decode_content=False)) == plain
    assert "Content-Encoding" not in fetch(site, "/", **{"Accept-Encoding": "gzip;q=0, br"}).headers


def test_not_sent_again_when_the_browser_has_it(site):
    r = fetch(site, "/")
    again = fetch(site, "/", **{"If-None-Match": r.headers["ETag"]})
    assert again.status_code == 304 and again.content == b"" and again.headers["ETag"] == r.headers["ETag"]
    assert fetch(site, "/", **{"Accept-Encoding": "gzip"}).headers["ETag"] != r.headers["ETag"]
    for name in re.findall(r'"/ui/([\w.-]+\.(?:js|css))"', r.text):
        assert "immutable" in fetch(site, f"/ui/{name}").headers["Cache-Control"]
    assert "no-cache" in r.headers["Cache-Control"]


def test_head_and_what_is_not_there(site):
    r = fetch(site, "/", method="HEAD")
    assert r.status_code == 200 and r.content == b"" and int(r.headers["Content-Length"]) > 100
    for path in ("/ui/nothing.js", "/ui/..%2findex.html", "/ui/%2e%2e"):
        assert fetch(site, path).status_code == 404
    assert fetch(site, "/", method="POST").status_code == 405


def test_built_without_node_it_says_how_to_build_it(tmp_path):
    script = tmp_path / "no-node.sh"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    out = tmp_path / "ui_files.c"
    r = subprocess.run([sys.executable, conftest.SOURCE / "server/ui/pack.py", out, script, tmp_path,
                        conftest.SOURCE / "server/ui/unbuilt.html"], capture_output=True, text=True, check=True)
    assert "without its page" in r.stderr
    table = out.read_text()
    page = bytes(map(int, re.search(r"plain0\[\] = \{\n(.*?)\n\}", table, re.S).group(1).replace("\n", "").split(",")))
    assert b"scripts/ui.sh" in page and '{ "index.html", "text/html; charset=utf-8"' in table
    before = out.stat().st_mtime_ns
    subprocess.run([sys.executable, conftest.SOURCE / "server/ui/pack.py", out, script, tmp_path,
                    conftest.SOURCE / "server/ui/unbuilt.html"], capture_output=True, check=True)
    assert out.stat().st_mtime_ns == before, "what did not change is not compiled again"
