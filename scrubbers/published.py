#!/usr/bin/env python3
"""Makes published.txt: keys and files that imgbuild finds in public packages, and that everybody therefore has.

    python3 scrubbers/published.py IMGBUILD [WORD...]

IMGBUILD is the program, built. Each package below (of those that have a WORD in their line, where words are given) is
fetched by its registry's own client as this machine has it set up (apt-get, pip, npm, go, mvn), one at a time; it
becomes the layer of an image; `imgbuild audit` says what it finds in it; the package is deleted.

What is found becomes a line of published.txt, "REGISTRY PACKAGE VERSION: PATH DIGEST": the public fingerprint of a key
(SHA256:...), or where there is none the SHA-256 of the file or member (sha256:...) that it stands in, or that could not
be opened. The list is sorted and only grows: a digest that it has keeps its line, and what a package no longer ships is
still public. A line is taken out by hand. What is in no package that can be fetched (a test key in a program) can be put
in by hand.

Run it again after the rules have changed, or when a stock image has a finding that a public package brought.
"""
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

LIST = pathlib.Path(__file__).with_name("published.txt")

# REGISTRY [SUITE] NAME... : packages that ship test keys, examples with credentials, or broken archives. `source`: the
# upstream source of a Debian package, with the tests that binary packages lack. Versions are pinned where a registry
# would give the newest.
PACKAGES = """
debian bookworm golang-1.19-src golang-golang-x-crypto-dev golang-google-grpc-dev golang-github-docker-docker-dev
debian bookworm libpython3.11-testsuite python3-twisted python3-hyperlink python3-tornado python3-aiohttp python3-jwt
debian bookworm python3-certbot python3-botocore libgnutls30 libmbedx509-1 libxmlsec1-dev libio-socket-ssl-perl
debian bookworm libnet-ssleay-perl npm libruby3.1 ruby-jwt ruby-httpclient libssl-doc git-doc libcurl4-doc openvpn apt
debian bookworm libnetty-java libmojolicious-perl openssl libssl3 python3-cryptography golang-1.19-go libgcrypt20
debian trixie golang-1.24-src libpython3.13-testsuite python3-twisted libgnutls30t64 libruby3.3 python3-tornado apt libgcrypt20
debian bullseye golang-1.15-src libpython3.9-testsuite python3-twisted libgnutls30 libruby2.7 python3-tornado apt libgcrypt20
source bookworm openssl openssh python3.11 nodejs curl gnutls28 libssh2
pypi cryptography-vectors==45.0.7 twisted==24.11.0 tornado==6.4.2 ansible-core==2.18.3 jwcrypto==1.5.6 aiosmtpd==1.4.6
pypi pytest-httpbin==2.1.0 snowflake-connector-python==3.14.0
npm https-proxy-agent@2.2.1 webpack-dev-server@1.16.5 browser-sync@2.29.3 smtp-server@3.13.6 ssh2@1.16.0 spdy@4.0.2
npm jsonwebtoken@5.7.0 mosca@2.8.3 httpolyglot@0.1.2 selfsigned@2.4.1 mqtt@2.18.9 live-server@1.2.2
go golang.org/x/crypto@v0.36.0 golang.org/x/oauth2@v0.28.0 google.golang.org/grpc@v1.71.0 github.com/lib/pq@v1.10.9
go github.com/golang-jwt/jwt/v5@v5.2.1 github.com/go-jose/go-jose/v4@v4.0.5 github.com/nats-io/nats-server/v2@v2.10.26
go github.com/docker/docker@v28.0.1+incompatible k8s.io/client-go@v0.32.3 github.com/cloudflare/cfssl@v1.6.5
maven org.mock-server:mockserver-core:5.15.0 com.github.tomakehurst:wiremock-jre8:2.35.2 org.littleshoot:littleproxy:1.1.2
maven net.lightbody.bmp:mitm:2.1.5 org.apache.sshd:sshd-common:2.15.0
"""


def run(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more).stdout


class Debian:
    """apt-get with a suite of its own, from where this machine has its packages."""

    def __init__(self, folder, suite):
        self.root = pathlib.Path(folder, suite)
        for name in ("state/lists/partial", "cache/archives/partial"):
            (self.root / name).mkdir(parents=True)
        (self.root / "status").touch()
        own = re.search(r"(?m)^VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text()).group(1)
        sources = pathlib.Path("/etc/apt/sources.list.d/debian.sources").read_text()
        sources = re.sub(rf"\b{own}\b", suite, sources)
        (self.root / "debian.sources").write_text(re.sub(r"(?m)^Types:.*", "Types: deb deb-src", sources))
        self.options = [
            "-qq", "-o", f"Dir::State={self.root}/state", "-o", f"Dir::State::status={self.root}/status",
            "-o", f"Dir::Cache={self.root}/cache", "-o", f"Dir::Etc::sourcelist={self.root}/debian.sources",
            "-o", "Dir::Etc::sourceparts=-", "-o", "Acquire::Check-Valid-Until=false", "-o", "APT::Sandbox::User=root"]
        run("apt-get", *self.options, "update")

    def binary(self, name, into):
        run("apt-get", *self.options, "download", name, cwd=into)

    def source(self, name, into):
        run("apt-get", *self.options, "source", "--download-only", "--tar-only", "--only-source", name, cwd=into)


def fetched(kind, suite, name, suites, work):
    """Fetches a package into `work`; gives its name, its version and its files."""
    if kind in ("debian", "source"):
        if suite not in suites:
            suites[suite] = Debian(suites["folder"], suite)
        apt = suites[suite]
        (apt.binary if kind == "debian" else apt.source)(name, work)
    elif kind == "pypi":
        run("pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", name, cwd=work)
    elif kind == "npm":
        run("npm", "pack", "--silent", "--ignore-scripts", name, cwd=work)
    elif kind == "go":
        answer = json.loads(run("go", "mod", "download", "-json", name, cwd=work,
                                env={**os.environ, "GOMODCACHE": f"{work}/mod", "GOFLAGS": "-modcacherw"}))
        shutil.move(answer["Zip"], work / "module.zip")
        shutil.rmtree(work / "mod")
    elif kind == "maven":
        run("mvn", "-q", "-B", "dependency:copy", f"-Dartifact={name}", f"-DoutputDirectory={work}", cwd=work)
    files = sorted(path for path in work.iterdir() if path.is_file())
    if not files:
        raise RuntimeError("nothing came")
    if kind == "debian":
        return f"{name} " + run("dpkg-deb", "-f", files[0], "Version").decode().strip(), files
    if kind == "source":
        files = [path for path in files if re.search(r"\.orig.*\.tar\.[a-z0-9]+$", path.name)]
        return f"{name} " + re.match(r"[^_]+_(.+?)\.orig", files[0].name).group(1), files
    return " ".join(re.split(r"==|@(?=[^/]+$)|:(?=[^:]+$)", name)), files


def layers(path, into):
    """The package's content as tars in `into`."""
    if path.suffix == ".deb":
        for option in ("--fsys-tarfile", "--ctrl-tarfile"):
            tar = into / f"{option}.tar"
            with open(tar, "wb") as out:
                subprocess.run(["dpkg-deb", option, path], check=True, stdout=out)
            yield tar
        return
    tar = into / (path.name + ".layer")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as zipped, tarfile.open(tar, "w") as out:
            for member in zipped.infolist():
                if member.is_dir():
                    continue
                entry = tarfile.TarInfo(member.filename)
                entry.size = member.file_size
                with zipped.open(member) as content:
                    out.addfile(entry, content)
    else:
        with tarfile.open(path) as packed, tarfile.open(tar, "w") as out:
            for member in packed:
                if member.isfile():
                    entry = tarfile.TarInfo(member.name)
                    entry.size = member.size
                    out.addfile(entry, packed.extractfile(member))
    yield tar


def audited(imgbuild, tars, work):
    """What imgbuild says of an image with these layers."""
    def digest(path):
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else (
                hashlib.sha256(file.read()).hexdigest())

    config = json.dumps({"os": "linux", "architecture": "amd64", "config": {}, "history": [],
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(tar) for tar in tars]}}).encode()
    names = [f"{number}/layer.tar" for number, _ in enumerate(tars)]
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [], "Layers": names}]).encode()
    image = work / "image.tar"
    with tarfile.open(image, "w") as out:
        for name, content in ((config_name, config), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))
        for name, tar in zip(names, tars):
            out.add(tar, name)
            tar.unlink()
    home = work / "home"
    home.mkdir()
    done = subprocess.run([imgbuild, "audit", "--format", "json", f"archive:{image}"], stdout=subprocess.PIPE,
                          env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)})
    if done.returncode not in (0, 1, 3) or not done.stdout:
        raise RuntimeError("the audit failed")
    return json.loads(done.stdout)["images"][0]


def digests(image):
    """(path, digest) of all that is worth a line."""
    for finding in image["leaks"] + image["published"]:
        fingerprint = finding.get("key", {}).get("fingerprint")
        for place in finding["locations"]:
            path = "!".join([place["path"], *place.get("inside", [])])
            digest = fingerprint or place.get("sha256")
            if digest:
                yield path, digest
            else:
                print(f"  not to be listed: {finding['rule']} in {path}: too large", file=sys.stderr)
    for gap in image["coverage"]["not_scanned"]:
        if gap.get("sha256"):
            yield gap["path"], gap["sha256"]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    imgbuild, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    listed = {line.rsplit(" ", 1)[1]: line for line in LIST.read_text().splitlines()} if LIST.exists() else {}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        suites = {"folder": folder}
        for line in PACKAGES.strip().splitlines():
            kind, *names = line.split()
            suite = names.pop(0) if kind in ("debian", "source") else ""
            for name in names:
                if words and not any(word in f"{kind} {suite} {name}" for word in words):
                    continue
                work = pathlib.Path(tempfile.mkdtemp(dir=folder))
                try:
                    package, files = fetched(kind, suite, name, suites, work)
                    tars = [tar for path in files for tar in layers(path, work)]
                    for path in files:
                        path.unlink()
                    new = 0
                    for path, digest in sorted(set(digests(audited(imgbuild, tars, work)))):
                        if digest not in listed:
                            listed[digest] = f"{kind} {package}: {path} {digest}"
                            new += 1
                    print(f"{kind} {package}: {new} new", file=sys.stderr)
                except (subprocess.CalledProcessError, RuntimeError, OSError, tarfile.TarError) as error:
                    failed += 1
                    why = getattr(error, "stderr", b"") or b""
                    print(f"{kind} {name}: {error} {why.decode(errors='replace').strip()[-300:]}", file=sys.stderr)
                finally:
                    shutil.rmtree(work, ignore_errors=True)
                LIST.write_text("".join(text + "\n" for text in sorted(listed.values())))
    sys.exit(1 if failed else 0)


main()
