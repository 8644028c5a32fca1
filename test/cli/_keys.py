"""Makes private keys with the programs that make them, writes each in the layouts in which keys lie about, and tells
what an audit found of them: `_keys.py IMGBUILD FOLDER` prints found/made by kind and by layout, and each miss; the exit
status is 1 where there is one. A kind whose program is not here is left out, and told."""

import base64, binascii, collections, html, json, os, re, shutil, subprocess, sys, urllib.parse

imgbuild, folder = sys.argv[1], sys.argv[2]
only = re.compile(sys.argv[3]) if len(sys.argv) > 3 else None
scratch, root = os.path.join(folder, "made"), os.path.join(folder, "root")
for path in (scratch, root):
    os.makedirs(path, exist_ok=True)
PHRASE = "a long " + "passphrase 17"  # on nobody's list


def run(*argv, given=None, **more):
    return subprocess.run(argv, input=given, check=True, capture_output=True, cwd=scratch, **more).stdout


def read(name):
    with open(os.path.join(scratch, name), "rb") as file:
        return file.read()


# ---- What keys there are: kind -> (bytes, is it text in lines?)

kinds, absent = {}, []


def kind(name, needs):
    def add(make):
        if not all(shutil.which(program) for program in needs):
            absent.append(name)
            return make
        made = make()
        for key, value in (made if isinstance(made, dict) else {name: made}).items():
            kinds[key] = value
        return make

    return add


def pkey(*how, given=None):
    return run("openssl", *how, given=given)


@kind("pem", ["openssl"])
def pem():
    rsa = pkey("genrsa", "-traditional", "2048")
    ec = pkey("ecparam", "-genkey", "-name", "prime256v1")
    ed = pkey("genpkey", "-algorithm", "ed25519")
    dsa = pkey("dsaparam", "-genkey", "-noout", "1024")
    p8 = pkey("pkcs8", "-topk8", "-nocrypt", given=rsa)
    words = ("-passout", "pass:" + PHRASE)
    return {
        "pkcs1": rsa,
        "pkcs8": p8,
        "pkcs8-ed25519": ed,
        "pkcs8-ed448": pkey("genpkey", "-algorithm", "ed448"),
        "pkcs8-x25519": pkey("genpkey", "-algorithm", "x25519"),
        "pkcs8-ec": pkey("pkcs8", "-topk8", "-nocrypt", given=ec),
        "sec1": pkey("ec", given=ec),
        "sec1-with-parameters": ec,
        "sec1-secp256k1": pkey("ecparam", "-genkey", "-noout", "-name", "secp256k1"),
        "sec1-explicit": pkey("ecparam", "-genkey", "-noout", "-name", "prime256v1", "-param_enc", "explicit"),
        "dsa": pkey("dsa", given=dsa),
        "pkcs8-dsa": pkey("pkcs8", "-topk8", "-nocrypt", given=dsa),
        "pkcs8-encrypted": pkey("pkcs8", "-topk8", *words, given=rsa),
        "pkcs8-scrypt": pkey("pkcs8", "-topk8", "-scrypt", *words, given=ec),
        "pkcs8-pbe": pkey("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", *words, given=rsa),
        "pkcs1-encrypted": pkey("rsa", "-traditional", "-aes128", *words, given=rsa),
        "pkcs1-des3": pkey("rsa", "-traditional", "-des3", *words, given=rsa),
        "sec1-encrypted": pkey("ec", "-aes256", *words, given=ec),
        "der-pkcs1": pkey("rsa", "-traditional", "-outform", "DER", given=rsa),
        "der-pkcs8": pkey("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", given=rsa),
        "der-pkcs8-ec": pkey("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", given=ec),
        "der-pkcs8-ed25519": pkey("pkey", "-outform", "DER", given=ed),
        "der-sec1": pkey("ec", "-outform", "DER", given=ec),
        "der-dsa": pkey("dsa", "-outform", "DER", given=dsa),
        "der-encrypted": pkey("pkcs8", "-topk8", "-outform", "DER", *words, given=rsa),
        "der-encrypted-ec": pkey("pkcs8", "-topk8", "-outform", "DER", *words, given=ec),
    }


@kind("openssh", ["ssh-keygen"])
def openssh():
    made = {}
    ways = {"ed25519": ["ed25519"], "rsa": ["rsa", "-b", "2048"], "ecdsa": ["ecdsa"], "dsa": ["dsa"]}
    for name, how in ways.items():
        run("ssh-keygen", "-q", "-t", *how, "-N", "", "-f", "ssh-" + name)
        made["openssh-" + name] = read("ssh-" + name)
    ciphers = ("aes256-ctr", "aes128-cbc", "3des-cbc", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")
    for cipher in ciphers:
        name = "openssh-" + cipher.partition("@")[0]
        run("ssh-keygen", "-q", "-t", "ed25519", "-Z", cipher, "-N", PHRASE, "-f", name)
        made[name] = read(name)
    return made


@kind("putty", ["puttygen", "ssh-keygen"])
def putty():
    made = {}
    with open(os.path.join(scratch, "phrase"), "w") as file:
        file.write(PHRASE + "\n")
    kinds_of_ppk = [(f"ppk{version}-{source}", source, ["--ppk-param", "version=" + version], "private")
                    for source in ("ed25519", "rsa") for version in "23"] + [("sshcom", "rsa", [], "private-sshcom")]
    for name, source, more, form in kinds_of_ppk:
        for locked in (False, True):
            out = name + ("-encrypted" if locked else "")
            run("ssh-keygen", "-q", "-t", source, "-N", "", "-f", "of-" + out)
            phrase = ["-P", "--new-passphrase", "phrase"] if locked else []
            run("puttygen", "of-" + out, "-O", form, "-o", out, *more, *phrase)
            made[out] = read(out)
    return made


@kind("pgp", ["gpg"])
def pgp():
    made = {}
    for locked in (False, True):
        for algorithm in ("rsa2048", "ed25519"):
            home = os.path.join(scratch, f"gnupg-{algorithm}-{locked}")
            os.makedirs(home, mode=0o700)
            phrase = PHRASE if locked else ""
            common = ["gpg", "--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", phrase]
            run(*common, "--quick-generate-key", "somebody@example.org", algorithm, "sign")
            name = f"pgp-{algorithm}" + ("-encrypted" if locked else "")
            made[name] = run(*common, "--armor", "--export-secret-keys")
            made[name + "-binary"] = run(*common, "--export-secret-keys")
            store = os.path.join(home, "private-keys-v1.d")
            made[name + "-store"] = read(os.path.join(store, os.listdir(store)[0]))
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False, capture_output=True)
    return made


@kind("age", ["age-keygen"])
def age():
    return run("age-keygen")


@kind("minisign", ["minisign"])
def minisign():
    run("minisign", "-G", "-W", "-p", "mini.pub", "-s", "mini.key")
    subprocess.run(["minisign", "-G", "-p", "mini2.pub", "-s", "mini2.key"], cwd=scratch, input=(PHRASE + "\n") * 2,
                   text=True, check=True, capture_output=True)
    return {"minisign": read("mini.key"), "minisign-encrypted": read("mini2.key")}


@kind("signify", ["signify-openbsd"])
def signify():
    run("signify-openbsd", "-G", "-n", "-p", "s.pub", "-s", "s.sec")
    return read("s.sec")


@kind("wireguard", ["wg"])
def wireguard():
    key = run("wg", "genkey").decode().strip()
    return {"wireguard-conf": f"[Interface]\nAddress = 10.0.0.2/24\nPrivateKey = {key}\n".encode()}


@kind("dnssec", ["dnssec-keygen"])
def dnssec():
    made = {}
    for algorithm in ("RSASHA256", "ECDSAP256SHA256", "ED25519"):
        name = run("dnssec-keygen", "-K", ".", "-a", algorithm, "example.org").decode().strip()
        made["dnssec-" + algorithm] = read(name + ".private")
    if shutil.which("tsig-keygen"):
        made["tsig"] = run("tsig-keygen", "ddns")
    return made


@kind("jwk", ["openssl"])
def jwk():
    def number(value):
        return base64.urlsafe_b64encode(bytes.fromhex(value)).rstrip(b"=").decode()

    text = pkey("rsa", "-text", "-noout", given=pkey("genrsa", "2048")).decode()
    part = {}
    for name, block in re.findall(r"^([a-zA-Z0-9]+):\n((?:    .*\n)+)", text, re.M):
        part[name] = number(re.sub(r"[^0-9a-f]", "", block).removeprefix("00"))
    rsa = {"kty": "RSA", "kid": "1", "n": part["modulus"], "e": "AQAB", "d": part["privateExponent"],
           "p": part["prime1"], "q": part["prime2"], "dp": part["exponent1"], "dq": part["exponent2"],
           "qi": part["coefficient"]}
    ec_text = pkey("ec", "-text", "-noout", given=pkey("ecparam", "-genkey", "-noout", "-name", "prime256v1")).decode()
    hexes = {name: re.sub(r"[^0-9a-f]", "", block) for name, block in re.findall(r"^(\w+):\n((?:    .*\n)+)", ec_text, re.M)}
    private, public = hexes["priv"][-64:].rjust(64, "0"), hexes["pub"][2:]
    ec = {"kty": "EC", "crv": "P-256", "x": number(public[:64]), "y": number(public[64:]), "d": number(private)}
    ed = pkey("pkey", "-outform", "DER", given=pkey("genpkey", "-algorithm", "ed25519"))
    ed_public = pkey("pkey", "-inform", "DER", "-pubout", "-outform", "DER", given=ed)
    okp = {"crv": "Ed25519", "d": number(ed[-32:].hex()), "x": number(ed_public[-32:].hex()), "kty": "OKP"}
    oct_key = {"kty": "oct", "k": number(os.urandom(32).hex()), "alg": "HS256"}
    return {
        "jwk-rsa": json.dumps(rsa).encode(),
        "jwk-ec": json.dumps(ec, indent=2).encode(),
        "jwk-okp": json.dumps(okp, separators=(",", ":")).encode(),
        "jwk-oct": json.dumps(oct_key, indent=1).encode(),
        "jwks": json.dumps({"keys": [ec, okp]}, indent=2).encode(),
    }


@kind("pkcs12", ["openssl"])
def pkcs12():
    made = {}
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "p.key", "-out", "p.crt", "-subj", "/CN=a")
    for name, how in {"p12": [], "p12-legacy": ["-legacy"], "p12-aes-keypbe": ["-keypbe", "AES-256-CBC"]}.items():
        for phrase in ("changeit", PHRASE):
            label = name + ("-encrypted" if phrase == PHRASE else "")
            made[label] = pkey("pkcs12", "-export", *how, "-inkey", "p.key", "-in", "p.crt", "-passout", "pass:" + phrase)
    # Larger than anybody looks at at once: its key stands behind a hundred certificates.
    open(os.path.join(scratch, "many.crt"), "wb").write(read("p.crt") * 100)
    made["p12-large"] = pkey("pkcs12", "-export", "-inkey", "p.key", "-in", "p.crt", "-certfile", "many.crt", "-passout", "pass:changeit")
    return made


@kind("java", ["keytool"])
def java():
    made = {}
    castle = "/usr/share/java/bcprov.jar"
    for store in ("JKS", "JCEKS", "PKCS12", "BKS"):
        if store == "BKS" and not os.path.exists(castle):
            continue
        for phrase in ("changeit", PHRASE):
            name = store.lower() + "-java" + ("-encrypted" if phrase == PHRASE else "")
            more = ["-providerclass", "org.bouncycastle.jce.provider.BouncyCastleProvider", "-providerpath", castle]
            run("keytool", "-genkeypair", "-alias", "k", "-keyalg", "RSA", "-dname", "CN=a", "-storetype", store,
                "-storepass", phrase, "-keypass", phrase, "-keystore", name, *(more if store == "BKS" else []))
            made[name] = read(name)
    return made


# ---- In what layouts they lie about: layout -> how it is written; None: not of this key

LINES = ("BEGIN", "PuTTY", "minisign", "Private-key-format", "AGE-", "[Interface]", "untrusted")


def lines(key):
    text = key.decode("ascii", "replace")
    return text.rstrip("\n").split("\n") if "\n" in text and is_text(key) else None


def is_text(key):
    return all(9 <= byte < 127 for byte in key)


def is_pem(key):
    return is_text(key) and b"-----BEGIN" in key


def joined(first, before, after, last="", of=lambda line: line):
    def write(name, key):
        if not is_pem(key):
            return None
        return (first + "".join(before + of(line) + after for line in lines(key)) + last).encode()

    return write


def text_only(make):
    return lambda name, key: make(key.decode()).encode() if is_text(key) else None


def pem_only(make):
    return lambda name, key: make(key.decode()).encode() if is_pem(key) else None


def without_breaks(text):
    def one(match):
        head, body, tail = match.groups()
        if ":" in body:
            return match.group(0)
        return head + "\n" + body.replace("\n", "") + "\n" + tail

    return re.sub(r"(-----BEGIN [^-]+-----)\n(.*?)\n(-----END [^-]+-----)", one, text, flags=re.S)


def quoted_printable(text):
    return text.replace("=", "=3D").replace("\n", "\r\n")


b64 = lambda key: base64.b64encode(key).decode()
small = lambda key: key if len(key) < 2000 else None
layouts = {
    "file": lambda name, key: key,
    "crlf": text_only(lambda text: text.replace("\n", "\r\n")),
    "end cut off": pem_only(lambda text: text[: text.rindex("-----END") + 6]),
    "no end line": pem_only(lambda text: text[: text.rindex("-----END")]),
    "yaml block": text_only(lambda text: "tls:\n  key: |\n" + "".join("    " + line + "\n" for line in text.splitlines())),
    "tab indent": text_only(lambda text: "".join("\t" + line + "\n" for line in text.splitlines())),
    "json": text_only(lambda text: json.dumps({"a": 1, "key": text, "b": 2})),
    "json crlf": text_only(lambda text: json.dumps({"key": text.replace("\n", "\r\n")})),
    "json in json": text_only(lambda text: json.dumps({"config": json.dumps({"key": text})})),
    "json of slashes": text_only(lambda text: json.dumps({"key": text}).replace("/", "\\/")),
    "json of escapes": text_only(lambda text: json.dumps({"key": text}).replace("=", "\\u003d").replace("+", "\\u002b")),
    "json lines": text_only(lambda text: json.dumps({"key": text.splitlines()}, indent=2)),
    "json list": pem_only(lambda text: json.dumps({"key": text.splitlines(), "b": 2})),
    "json list of lines": pem_only(lambda text: json.dumps({"source": text.splitlines(keepends=True)})),
    "container log": pem_only(lambda text: "".join(
        json.dumps({"log": line + "\n", "stream": "stdout", "time": "2026-01-02T03:04:05.%09dZ" % i}, separators=(",", ":")) + "\n"
        for i, line in enumerate(text.splitlines()))),
    "vim swap": pem_only(lambda text: "b0VIM 9.0\0" + "".join(line + "\0" for line in reversed(text.splitlines())) + "ad\0"),
    "words of printf": pem_only(lambda text: "printf '%s\\n' " + " ".join(f"'{line}'" for line in text.splitlines()) + " >key"),
    "env": text_only(lambda text: "KEY=\"" + text.replace("\n", "\\n") + "\"\n"),
    "env of lines": text_only(lambda text: "KEY='" + text + "'\n"),
    "one line of blanks": pem_only(lambda text: "KEY=\"" + text.strip().replace("\n", " ") + "\""),
    "no breaks in body": pem_only(without_breaks),
    "no breaks at all": pem_only(lambda text: re.sub(r"(?<![:0-9A-F])\n(?!\w+-)", "", text) if ": " not in text else text),
    "java": joined("String KEY =\n", "    \"", "\\n\" +\n", "    \"\";\n"),
    "python": joined("KEY = (\n", "    \"", "\\n\"\n", ")\n"),
    "python bytes": joined("KEY = (\n", "    b'", "\\n'\n", ")\n"),
    "python triple": text_only(lambda text: 'KEY = """' + text + '"""\n'),
    "c": joined("static const char key[] =\n", "  \"", "\\n\"\n", "  ;\n"),
    "c crlf": joined("static const char key[] =\n", "  \"", "\\r\\n\"\n", "  ;\n"),
    "c continued": joined("#define KEY \"\\\n", "", "\\n\\\n", "\"\n"),
    "javascript array": joined("const key = [\n", "  '", "',\n", "].join('\\n');\n"),
    "javascript plus": joined("const key = ''\n", "  + '", "\\n'\n", "  ;\n"),
    "go": text_only(lambda text: "const key = `" + text + "`\n"),
    "php": joined("$key = ", "\"", "\\n\" .\n", "\"\";\n"),
    "perl": joined("my $key = ", "'", "'.\"\\n\".\n", "'';\n"),
    "visual basic": joined("key = \"\"\n", "key = key & \"", "\" & vbCrLf\n"),
    "ruby": text_only(lambda text: "KEY = <<~EOS\n" + "".join("  " + line + "\n" for line in text.splitlines()) + "EOS\n"),
    "shell": text_only(lambda text: "cat > key <<EOF\n" + text + "EOF\nchmod 600 key\n"),
    "shell echo": joined("", "echo '", "' >> /root/.ssh/key\n"),
    "dockerfile echo": joined("RUN ", "echo \"", "\" >> /root/key && \\\n    ", "true\n"),
    "dockerfile printf": text_only(lambda text: "RUN printf '" + text.replace("\n", "\\n") + "' > /root/key\n"),
    "comment #": text_only(lambda text: "".join("# " + line + "\n" for line in text.splitlines())),
    "comment //": text_only(lambda text: "".join("// " + line + "\n" for line in text.splitlines())),
    "comment *": text_only(lambda text: "/**\n" + "".join(" * " + line + "\n" for line in text.splitlines()) + " */\n"),
    "comment ;": text_only(lambda text: "".join("; " + line + "\n" for line in text.splitlines())),
    "comment --": text_only(lambda text: "".join("-- " + line + "\n" for line in text.splitlines())),
    "mail": text_only(lambda text: "".join("> " + line + "\n" for line in text.splitlines())),
    "diff": text_only(lambda text: "".join("+" + line + "\n" for line in text.splitlines())),
    "diff of yaml": text_only(lambda text: "+key: |\n" + "".join("+    " + line + "\n" for line in text.splitlines())),
    "line numbers": pem_only(lambda text: "".join("%6d\t%s\n" % (i, line) for i, line in enumerate(text.splitlines(), 1))),
    "xml": text_only(lambda text: "<config><key>" + html.escape(text) + "</key></config>\n"),
    "xml cdata": text_only(lambda text: "<key><![CDATA[" + text + "]]></key>\n"),
    "html breaks": pem_only(lambda text: "<p>" + text.replace("\n", "<br>\n") + "</p>\n"),
    "html numbers": pem_only(lambda text: "<input value=\"" + text.replace("\n", "&#10;") + "\">"),
    "html hex numbers": pem_only(lambda text: "<key a=\"" + text.replace("\r", "&#xD;").replace("\n", "&#xA;") + "\"/>"),
    "html of all": pem_only(lambda text: "<key a=\"" + re.sub(r"[+/=]", lambda m: "&#%d;" % ord(m.group()), text) + "\"/>"),
    "percent": pem_only(lambda text: "key=" + urllib.parse.quote(text, safe="") + "&a=1"),
    "percent of form": pem_only(lambda text: "key=" + urllib.parse.quote_plus(text) + "&a=1"),
    "percent of breaks": pem_only(lambda text: "key=" + text.replace("\n", "%0A")),
    "properties": joined("key=", "", "\\n\\\n  "),
    "toml": text_only(lambda text: "key = '''\n" + text + "'''\n"),
    "hcl": text_only(lambda text: "key = <<-EOT\n" + "".join("    " + line + "\n" for line in text.splitlines()) + "  EOT\n"),
    "csv": text_only(lambda text: "1,\"" + text + "\",x\n"),
    "sql": text_only(lambda text: "INSERT INTO t VALUES (1,'" + text.replace("\n", "\\n") + "');\n"),
    "sql of lines": text_only(lambda text: "INSERT INTO t VALUES (1,'" + text + "',2);\n"),
    "copy": text_only(lambda text: "1\t" + text.replace("\n", "\\n") + "\t2024-01-01\n"),
    "log": text_only(lambda text: "2024-01-01 level=info msg=\"" + text.replace("\n", "\\n") + "\" a=1\n"),
    "markdown": text_only(lambda text: "Use this key:\n\n```\n" + text + "```\n"),
    "quoted-printable": pem_only(quoted_printable),
    "utf-16": text_only(lambda text: "\ufeff" + text) and (lambda name, key: ("\ufeff" + key.decode()).encode("utf-16-le") if is_text(key) else None),
    "utf-32": lambda name, key: key.decode().encode("utf-32-be") if is_text(key) else None,
    "uuencode": lambda name, key: b"begin 600 key\n" + b"".join(binascii.b2a_uu(key[at : at + 45]) for at in range(0, len(key), 45)) + b" \nend\n",
    "ascii85": lambda name, key: b"key: " + base64.a85encode(key, wrapcol=76, adobe=True) + b"\n",
    "base64": lambda name, key: ("key: " + b64(key) + "\n").encode(),
    "base64 wrapped": lambda name, key: base64.encodebytes(key),
    "base64 of 64": lambda name, key: re.sub(r"(.{64})", r"\1\n", b64(key)).encode(),
    "base64 in json": lambda name, key: json.dumps({"key": b64(key)}).encode(),
    "base64 in base64": lambda name, key: ("key: " + b64(b64(key).encode())).encode(),
    "base64 for urls": lambda name, key: ("key=" + base64.urlsafe_b64encode(key).decode()).encode(),
    "kubernetes": lambda name, key: ("apiVersion: v1\nkind: Secret\ndata:\n  tls.key: " + b64(key) + "\ntype: Opaque\n").encode(),
    "data url": lambda name, key: ("data:application/octet-stream;base64," + b64(key)).encode(),
    "hex": lambda name, key: key.hex().encode(),
    "bytes of c": lambda name, key: small(key) and ("{\n" + "".join("  0x%02x,\n" % byte for byte in key) + "};\n").encode(),
    "bytes of json": lambda name, key: small(key) and json.dumps({"key": list(key)}).encode(),
    "behind other bytes": lambda name, key: bytes(range(256)) * 3 + b"\n" + key + bytes(range(256)),
    "body alone": lambda name, key: re.sub(r"-----[^\n]*\n", "", key.decode()).encode()
    if is_pem(key) and b": " not in key and b"PGP" not in key and b"DSA" not in key and key.count(b"BEGIN") == 1
    else None,
}

# ---- All of them, and what the audit says

made = {}
for name, key in kinds.items():
    for layout, write in layouts.items():
        if only and not only.search(name + " / " + layout):
            continue
        # Quotes that nobody escaped, and objects of JSON written as arrays of their lines, are read by no program.
        if b'"' in key and layout in ("env", "log") or b"(" in key and layout == "json lines":
            continue
        if name.startswith("jw") and layout in ("json lines", "xml"):
            continue
        content = write(name, key) if len(key) < 60000 or layout == "file" else None
        if content is None:
            continue
        path = f"{len(made):05d}.txt"
        with open(os.path.join(root, path), "wb") as file:
            file.write(content)
        made[path] = (name, layout)

audit = subprocess.run([imgbuild, "audit", "dir:" + root, "--format", "json"], capture_output=True)
image = json.loads(audit.stdout)["images"][0]
found = collections.defaultdict(list)
for finding in image["leaks"] + image["notes"]:
    if finding.get("key"):
        for location in finding["locations"]:
            found[location["path"]].append(finding)
by_kind, by_layout, missed, wrong = {}, {}, [], []
for path, (name, layout) in made.items():
    for table, entry in ((by_kind, name), (by_layout, layout)):
        count = table.setdefault(entry, [0, 0])
        count[1] += 1
        count[0] += path in found
    if path not in found:
        missed.append(f"{path} {name} / {layout}")
    else:
        want = 2 if name == "jwks" else 1
        if len(found[path]) != want:
            wrong.append(f"{path} {name} / {layout}: {len(found[path])} findings: "
                         + ", ".join(f["rule"] for f in found[path]))
        # What JCEKS encrypts is not opened, whatever the passphrase.
        locked = "encrypted" in name or name in ("pkcs8-scrypt", "pkcs8-pbe", "pkcs1-des3", "jceks-java") or "-cbc" in name or \
            name in ("openssh-aes256-ctr", "openssh-aes256-gcm", "openssh-chacha20-poly1305")
        if any(f["key"]["encrypted"] != locked for f in found[path]):
            wrong.append(f"{path} {name} / {layout}: encrypted is told wrong")
for title, table in (("by kind", by_kind), ("by layout", by_layout)):
    print(title)
    for entry, (got, of) in table.items():
        print(f"  {entry:32} {got}/{of}" + ("" if got == of else "   <--"))
for line in missed:
    print("missed:", line)
for line in wrong:
    print("wrong:", line)
if absent:
    print("no program for:", ", ".join(absent))
total = sum(count[0] for count in by_kind.values())
print(f"found {total} of {len(made)}")
# Of random keys a few, in the oddest layouts, are cut or told twice.
few = len(made) // 200
sys.exit(1 if len(missed) > few or len(wrong) > few else 0)
