#!/usr/bin/env python3
"""How much the rules find: fresh credentials of the documented forms, each in every context that people leak them in.

  python3 test/bench/recall.py IMGBUILD [--rule WORD] [--misses]

Each credential is made anew, after the form that its provider documents (not after our pattern), and written into one
file per context of a small image archive, which IMGBUILD audits. Prints found/made per rule and per context; --misses
also names each pair that was missed. EXPLAINED says which pairs cannot be found, and why. Exit status: 1 where a pair
that is not explained was missed.
"""
import base64, hashlib, io, json, os, quopri, random, re, string, subprocess, sys, tarfile, tempfile, urllib.parse, zlib

ALNUM = string.ascii_letters + string.digits
SETS = {"a": ALNUM, "x": "0123456789abcdef", "X": "0123456789ABCDEF", "d": string.digits, "u": ALNUM + "_-",
        "B": ALNUM + "+/", "l": string.ascii_lowercase + string.digits, "U": string.ascii_uppercase + string.digits,
        "A": string.ascii_letters, "v": string.ascii_lowercase, "2": string.ascii_uppercase + "234567"}
dice = random.SystemRandom()


def some(kind, count):
    text = "".join(dice.choice(SETS[kind]) for _ in range(count))
    # What ends in punctuation ends elsewhere in some contexts; no provider promises any particular end.
    return text if kind not in "uB" or count == 0 else text[:-1] + dice.choice(ALNUM)


def uuid():
    return "-".join(some("x", n) for n in (8, 4, 4, 4, 12))


def made(form):
    """`<a36>`: 36 letters and digits; `<uuid>`; anything else as it stands."""
    return re.sub(r"<([a-zA-Z2])(\d+)>", lambda m: some(m[1], int(m[2])), form.replace("<uuid>", uuid()))


def checked(prefix):  # GitHub and npm: six characters of checksum
    body = some("a", 30)
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
    crc, tail = zlib.crc32(body.encode()), ""
    for _ in range(6):
        crc, rest = divmod(crc, 62)
        tail = digits[rest] + tail
    return prefix + body + tail


def b64(text):
    return base64.b64encode(text.encode()).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt():
    head = b64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = b64url(json.dumps({"sub": some("d", 10), "role": "admin", "iat": 1600000000 + dice.randrange(10**8)}).encode())
    return f"{head}.{body}.{b64url(dice.randbytes(32))}"


def human():
    word = dice.choice(["Summer", "Dragon", "Berlin", "Falcon", "Tiger", "Maria", "Winter", "Coffee", "Banana", "Rocket"])
    return dice.choice([word + some("d", 4) + dice.choice("!#$*"), word.lower() + dice.choice("@_!") + some("d", 3),
                        word.replace("a", "@").replace("e", "3") + some("d", 2) + "!", some("a", 10) + "1q"])


# Rule: the name that people give it, and its form.
FORMS = {
    "github.token": ("GITHUB_TOKEN", lambda: checked("gh" + "p_")),
    "github.fine-grained-token": ("GITHUB_TOKEN", "github" + "_pat_<a22>_<a59>"),
    "gitlab.token": ("GITLAB_TOKEN", "glpat" + "-<u20>"),
    "npm.access-token": ("NPM_TOKEN", lambda: checked("npm" + "_")),
    "aws.access-key-id": ("AWS_ACCESS_KEY_ID", lambda: "AKIA" + dice.choice("QRST") + some("2", 15)),
    "aws.secret-access-key": ("AWS_SECRET_ACCESS_KEY", "<B40>"),
    "gcp.api-key": ("GOOGLE_API_KEY", "AIza" + "Sy<u33>"),
    "gcp.oauth-client-secret": ("GOOGLE_CLIENT_SECRET", "GOCSPX" + "-<u28>"),
    "azure.storage-key": ("AZURE_STORAGE_KEY", lambda: base64.b64encode(dice.randbytes(64)).decode()),
    "azure.client-secret": ("AZURE_CLIENT_SECRET", "<a3>8Q" + "~<a34>"),
    "azure.devops-token": ("AZURE_DEVOPS_PAT", "<a76>AZ" + "DO<a4>"),
    "slack.token": ("SLACK_TOKEN", "xox" + "b-<d12>-<d13>-<a24>"),
    "slack.app-token": ("SLACK_APP_TOKEN", "xapp" + "-1-A<U10>-<d13>-<x64>"),
    "slack.webhook": ("SLACK_WEBHOOK", "https://hooks.slack" + ".com/services/T<U10>/B<U10>/<a24>"),
    "stripe.live-key": ("STRIPE_SECRET_KEY", "sk" + "_live_<a24>"),
    "stripe.webhook-secret": ("STRIPE_WEBHOOK_SECRET", "whsec" + "_<a32>"),
    "twilio.api-key": ("TWILIO_AUTH_TOKEN", "<x32>"),
    "sendgrid.api-key": ("SENDGRID_API_KEY", "SG" + ".<u22>.<u43>"),
    "mailgun.api-key": ("MAILGUN_API_KEY", "key" + "-<x32>"),
    "mailchimp.api-key": ("MAILCHIMP_API_KEY", "<x32>-us" + "12"),
    "openai.api-key": ("OPENAI_API_KEY", "sk" + "-proj-<u74>T3Blbk" + "FJ<u74>"),
    "anthropic.api-key": ("ANTHROPIC_API_KEY", "sk-ant" + "-api03-<u93>AA"),
    "huggingface.token": ("HF_TOKEN", "hf" + "_<A34>"),
    "pypi.token": ("PYPI_TOKEN", lambda: "pypi" + "-" + b64url(b"\x02\x01\x08pypi.org\x02\x24" + uuid().encode() + b"\x00\x06\x20" + dice.randbytes(32))),
    "digitalocean.token": ("DIGITALOCEAN_TOKEN", "dop" + "_v1_<x64>"),
    "docker.hub-token": ("DOCKER_TOKEN", "dckr" + "_pat_<u27>"),
    "discord.bot-token": ("DISCORD_TOKEN", lambda: b64url(("9" + some("d", 17)).encode()) + "." + some("a", 6) + "." + some("u", 38)),
    "telegram.bot-token": ("TELEGRAM_TOKEN", "<d10>:AA" + "<u33>"),
    "shopify.token": ("SHOPIFY_TOKEN", "shp" + "at_<x32>"),
    "heroku.api-key": ("HEROKU_API_KEY", "<uuid>"),
    "databricks.token": ("DATABRICKS_TOKEN", "dapi" + "<x32>"),
    "datadog.api-key": ("DATADOG_API_KEY", "<x32>"),
    "newrelic.api-key": ("NEW_RELIC_API_KEY", "NRAK" + "-<U27>"),
    "cloudflare.api-token": ("CLOUDFLARE_API_TOKEN", "<u40>"),
    "atlassian.api-token": ("ATLASSIAN_TOKEN", "ATATT3" + "<u180>=<X8>"),
    "vault.service-token": ("VAULT_TOKEN", "hvs" + ".<u90>"),
    "terraform.cloud-token": ("TFE_TOKEN", "<a14>.atlas" + "v1.<a67>"),
    "linear.api-key": ("LINEAR_API_KEY", "lin" + "_api_<a40>"),
    "postman.api-key": ("POSTMAN_API_KEY", "PMAK" + "-<x24>-<x34>"),
    "airtable.token": ("AIRTABLE_TOKEN", "pat" + "<a14>.<x64>"),
    "notion.token": ("NOTION_TOKEN", "ntn" + "_<d11><a35>"),
    "dropbox.token": ("DROPBOX_TOKEN", "sl" + ".<u140>"),
    "facebook.access-token": ("FACEBOOK_TOKEN", "EAAM" + "<a180>"),
    "square.access-token": ("SQUARE_TOKEN", "sq0" + "atp-<u22>"),
    "pulumi.token": ("PULUMI_ACCESS_TOKEN", "pul" + "-<x40>"),
    "sentry.token": ("SENTRY_AUTH_TOKEN", "sntryu" + "_<x64>"),
    "grafana.token": ("GRAFANA_TOKEN", "glsa" + "_<a32>_<x8>"),
    "doppler.token": ("DOPPLER_TOKEN", "dp" + ".pt.<a43>"),
    "jwt.token": ("JWT_TOKEN", jwt),
    "mapquest.key": ("MAPQUEST_KEY", "<a32>"),
    "abuseipdb.key": ("ABUSEIPDB_KEY", "<x80>"),
    "shodan.key": ("SHODAN_API_KEY", "<a32>"),
    "mixpanel.key": ("MIXPANEL_API_SECRET", "<x32>"),
    "bitly.key": ("BITLY_ACCESS_TOKEN", "<x40>"),
    "wistia.key": ("WISTIA_API_KEY", "<x64>"),
    "generic.password": ("DB_PASSWORD", human),
    "generic.api-key": ("ACME_API_KEY", "<a32>"),
    "generic.secret": ("ACME_CLIENT_SECRET", "<a40>"),
    "generic.hex-key": ("ACME_ACCESS_KEY", "<x40>"),
    "generic.uuid-token": ("ACME_TOKEN", "<uuid>"),
}


def camel(name):
    words = name.lower().split("_")
    return words[0] + "".join(word.capitalize() for word in words[1:])


def wrapped(text):
    return "\n".join(text[i:i + 64] for i in range(0, len(text), 64))


def halves(text, joint):
    return text[:len(text) // 2] + joint + text[len(text) // 2:]


# Context: file name, and what stands in it.
CONTEXTS = {
    "env": (".env", lambda n, v: f"DEBUG=1\n{n}={v}\nPORT=80\n"),
    "env-quoted": (".env.production", lambda n, v: f'{n}="{v}"\n'),
    "shell": ("run.sh", lambda n, v: f'#!/bin/sh\nexport {n}="{v}"\nexec app\n'),
    "yaml": ("app.yml", lambda n, v: f"service:\n  name: app\n  {n.lower()}: {v}\n"),
    "yaml-list": ("deploy.yaml", lambda n, v: f"env:\n  - name: {n}\n    value: {v}\n"),
    "json": ("app.json", lambda n, v: json.dumps({"name": "app", camel(n): v}, indent=2)),
    "json-nested": ("nested.json", lambda n, v: json.dumps({"body": json.dumps({camel(n): v})})),
    "json-pair": ("task.json", lambda n, v: json.dumps({"environment": [{"name": n, "value": v}]})),
    "xml-element": ("app.xml", lambda n, v: f"<config>\n  <{camel(n)}>{v}</{camel(n)}>\n</config>\n"),
    "xml-attribute": ("web.config", lambda n, v: f'<appSettings>\n  <add key="{camel(n)}" value="{v}" />\n</appSettings>\n'),
    "properties": ("app.properties", lambda n, v: f"app.name=x\n{n.lower().replace('_', '.')}={v}\n"),
    "ini": ("app.ini", lambda n, v: f"[main]\n{n.lower()} = {v}\n"),
    "toml": ("app.toml", lambda n, v: f"[main]\n{n.lower()} = '{v}'\n"),
    "python": ("app.py", lambda n, v: f'import os\n\n{n} = "{v}"\n\ndef main():\n    pass\n'),
    "python-default": ("dflt.py", lambda n, v: f'{n.lower()} = os.environ.get("{n}", "{v}")\n'),
    "python-call": ("call.py", lambda n, v: f'client = Client({n.lower()}="{v}", timeout=3)\n'),
    "javascript": ("app.js", lambda n, v: f"const {camel(n)} = '{v}';\n"),
    "javascript-object": ("obj.ts", lambda n, v: f"export const c = {{ url: 'x', {camel(n)}: '{v}' }};\n"),
    "javascript-env": ("env.js", lambda n, v: f"const k = process.env.{n} || '{v}';\n"),
    "go": ("app.go", lambda n, v: f'package main\n\nconst {camel(n)} = "{v}"\n'),
    "go-struct": ("st.go", lambda n, v: f'\tcfg := Config{{{camel(n)[0].upper() + camel(n)[1:]}: "{v}"}}\n'),
    "java": ("App.java", lambda n, v: f'private static final String {n} = "{v}";\n'),
    "java-setter": ("Set.java", lambda n, v: f'client.set{camel(n)[0].upper() + camel(n)[1:]}("{v}");\n'),
    "csharp": ("App.cs", lambda n, v: f'public string {camel(n)} = @"{v}";\n'),
    "php": ("app.php", lambda n, v: f"<?php\n$config['{n.lower()}'] = '{v}';\n"),
    "php-define": ("def.php", lambda n, v: f"<?php\ndefine('{n}', '{v}');\n"),
    "ruby": ("app.rb", lambda n, v: f"config.{n.lower()} = '{v}'\n"),
    "ruby-hash": ("hash.rb", lambda n, v: f"opts = {{ :{n.lower()} => '{v}' }}\n"),
    "rust": ("app.rs", lambda n, v: f'const {n}: &str = "{v}";\n'),
    "kotlin": ("App.kt", lambda n, v: f'val {camel(n)}: String = "{v}"\n'),
    "swift": ("App.swift", lambda n, v: f'let {camel(n)} = "{v}"\n'),
    "dockerfile-env": ("Dockerfile", lambda n, v: f"FROM x\nENV {n}={v}\n"),
    "dockerfile-env-old": ("Dockerfile.old", lambda n, v: f"FROM x\nENV {n} {v}\n"),
    "dockerfile-arg": ("Dockerfile.arg", lambda n, v: f"FROM x\nARG {n}={v}\nRUN make\n"),
    "docker-history": ("history.txt", lambda n, v: f"/bin/sh -c #(nop)  ENV {n}={v}\n|1 {n}={v} /bin/sh -c make\n"),
    "url-query": ("url.txt", lambda n, v: f"https://api.acme.dev/v1/list?{n.lower()}={urllib.parse.quote(v, safe='')}&page=2\n"),
    "header": ("http.txt", lambda n, v: f"POST /v1 HTTP/1.1\nHost: api.acme.dev\nX-{n.replace('_', '-').title()}: {v}\n"),
    "curl": ("curl.sh", lambda n, v: f"curl -H 'X-{n.replace('_', '-').title()}: {v}' https://api.acme.dev/v1\n"),
    "flag": ("cli.sh", lambda n, v: f"acme login --{n.lower().replace('_', '-')} {v}\n"),
    "shell-history": (".bash_history", lambda n, v: f"ls\nexport {n}={v}\ncd\n"),
    "terraform": ("main.tf", lambda n, v: f'provider "acme" {{\n  {n.lower()} = "{v}"\n}}\n'),
    "powershell": ("app.ps1", lambda n, v: f'$env:{n} = "{v}"\n'),
    "batch": ("app.bat", lambda n, v: f"set {n}={v}\r\n"),
    "comment": ("c.py", lambda n, v: f"# {n.lower()} = {v}\n"),
    "base64": ("b64.txt", lambda n, v: "data: " + b64(f"{n}={v}\n") + "\n"),
    "base64-twice": ("b64b64.txt", lambda n, v: "data: " + b64(b64(f"{n}={v}\n")) + "\n"),
    "base64-wrapped": ("b64w.txt", lambda n, v: wrapped(b64(f"# the settings of this service, do not print\n{n}={v}\n")) + "\n"),
    "hex": ("hex.txt", lambda n, v: f"{n}={v}\n".encode().hex() + "\n"),
    "percent": ("form.txt", lambda n, v: "body=" + urllib.parse.quote(f'{{"{n.lower()}":"{v}"}}', safe="") + "\n"),
    "utf16": ("u16.txt", lambda n, v: f"\ufeff{n}={v}\r\n".encode("utf-16-le")),
    "unicode-escapes": ("esc.json", lambda n, v: '{"k": "' + "".join(f"\\u{ord(c):04x}" for c in f"{n}={v}") + '"}\n'),
    "html": ("page.html", lambda n, v: f"<pre>{n}=&quot;{v}&quot;</pre>\n"),
    "concatenated": ("cat.js", lambda n, v: f'const {camel(n)} = "' + halves(v, '" + "') + '";\n'),
    "concatenated-lines": ("cat.java", lambda n, v: f'String {camel(n)} = "' + halves(v, '"\n      + "') + '";\n'),
    "continued": ("cont.py", lambda n, v: f'{n} = ("' + halves(v, '"\n    "') + '")\n'),
    "zero-width": ("zw.txt", lambda n, v: f"{n}=" + halves(v, "\u200b") + "\n"),
    "concatenated-dots": ("cat.lua", lambda n, v: f'local {n.lower()} = "' + halves(v, '" .. "') + '"\n'),
    "concatenated-php": ("cat.php", lambda n, v: f"<?php ${n.lower()} = '" + halves(v, "' . '") + "';\n"),
    "concatenated-basic": ("cat.vb", lambda n, v: f'Dim {camel(n)} As String = "' + halves(v, '" & "') + '"\n'),
    "concatenated-shell": ("cat.sh", lambda n, v: f"{n}='" + halves(v, "''") + "'\n"),
    "concatenated-sql": ("cat.sql", lambda n, v: f"SELECT {n.lower()} = '" + halves(v, "' || '") + "';\n"),
    "joined": ("join.js", lambda n, v: f'const {camel(n)} = ["' + halves(v, '", "') + '"].join("");\n'),
    "split-comment": ("split.js", lambda n, v: f'const {camel(n)} = "' + halves(v, '" /* rest */ + "') + '";\n'),
    "backslash-line": ("bs.sh", lambda n, v: f'export {n}="' + halves(v, "\\\n") + '"\n'),
    "quoted-printable": ("qp.eml", lambda n, v: quopri.encodestring(f"Dear all, the settings of the service are now {n}={v} as agreed\n".encode())),
    "html-numbers": ("num.html", lambda n, v: f"<p>{n}=" + "".join(f"&#{ord(c)};" for c in v) + "</p>\n"),
    "hex-escapes": ("hexes.c", lambda n, v: f'char *{n.lower()} = "' + "".join(f"\\x{ord(c):02x}" for c in v) + '";\n'),
    "octal-escapes": ("oct.c", lambda n, v: f'char *{n.lower()} = "' + "".join(f"\\{ord(c):03o}" for c in v) + '";\n'),
    "hex-bytes": ("bytes.c", lambda n, v: f"char {n.lower()}[] = {{" + ", ".join(f"0x{ord(c):02x}" for c in v) + "};\n"),
    "number-list": ("bytes.json", lambda n, v: json.dumps({n.lower(): [ord(c) for c in f"{n}={v}"]}) + "\n"),
    "joined-python": ("join.py", lambda n, v: f'{n} = "".join(["' + halves(v, '", "') + '"])\n'),
    "joined-php": ("join.php", lambda n, v: f"${n.lower()} = implode('', ['" + halves(v, "', '") + "']);\n"),
    "percent-twice": ("form2.txt", lambda n, v: "next=" + urllib.parse.quote(urllib.parse.quote(f"{n.lower()}={v}&x=1", safe=""), safe="") + "\n"),
    "base64-url": ("b64u.txt", lambda n, v: "blob=" + b64url(f"{n}={v}".encode()) + "\n"),
    "utf16-big": ("u16b.txt", lambda n, v: f"\ufeff{n}={v}\r\n".encode("utf-16-be")),
    "kubernetes-secret": ("secret.yaml", lambda n, v: f"apiVersion: v1\nkind: Secret\ndata:\n  {n.lower().replace('_', '-')}: {b64(v)}\n"),
    "kubernetes-literal": ("kube.sh", lambda n, v: f"kubectl create secret generic app --from-literal={n.lower()}={v}\n"),
    "helm-set": ("helm.sh", lambda n, v: f"helm install app ./chart --set config.{camel(n)}={v} --wait\n"),
    "docker-run": ("run2.sh", lambda n, v: f"docker run -d -e {n}={v} app:1\n"),
    "compose-list": ("compose.yml", lambda n, v: f"services:\n  app:\n    environment:\n      - {n}={v}\n"),
    "systemd": ("app.service", lambda n, v: f'[Service]\nEnvironment="{n}={v}"\n'),
    "apache": ("site.conf", lambda n, v: f"SetEnv {n} {v}\n"),
    "nginx": ("nginx.conf", lambda n, v: f'proxy_set_header X-{n.replace("_", "-").title()} "{v}";\n'),
    "fish": ("config.fish", lambda n, v: f"set -gx {n} {v}\n"),
    "csh": (".cshrc", lambda n, v: f"setenv {n} {v}\n"),
    "batch-quoted": ("q.bat", lambda n, v: f'set "{n}={v}"\r\n'),
    "powershell-call": ("set.ps1", lambda n, v: f'[Environment]::SetEnvironmentVariable("{n}", "{v}", "User")\n'),
    "makefile": ("Makefile", lambda n, v: f"{n} := {v}\nall:\n\tmake\n"),
    "cmake": ("CMakeLists.txt", lambda n, v: f'set({n} "{v}")\n'),
    "nix": ("app.nix", lambda n, v: f"{{ {camel(n)} = \"{v}\"; }}\n"),
    "perl": ("app.pl", lambda n, v: f"my ${n.lower()} = '{v}';\n"),
    "perl-hash": ("hash.pl", lambda n, v: f"%c = ({n.lower()} => q{{{v}}});\n" if "}" not in v else f"%c = ({n.lower()} => '{v}');\n"),
    "r": ("app.R", lambda n, v: f'Sys.setenv({n} = "{v}")\n'),
    "scala": ("App.scala", lambda n, v: f'val {camel(n)}: String = "{v}"\n'),
    "elixir": ("config.exs", lambda n, v: f'config :app, {n.lower()}: "{v}"\n'),
    "clojure": ("app.clj", lambda n, v: f'(def {n.lower().replace("_", "-")} "{v}")\n'),
    "erlang": ("sys.config", lambda n, v: f'[{{app, [{{{n.lower()}, "{v}"}}]}}].\n'),
    "dart": ("app.dart", lambda n, v: f"static const String {camel(n)} = '{v}';\n"),
    "objective-c": ("App.m", lambda n, v: f'static NSString *const k{camel(n)[0].upper() + camel(n)[1:]} = @"{v}";\n'),
    "c-define": ("app.h", lambda n, v: f'#define {n} "{v}"\n'),
    "vb": ("App.vb", lambda n, v: f'Const {n} As String = "{v}"\n'),
    "python-dict": ("d.py", lambda n, v: f"settings = {{'{n.lower()}': '{v}', 'debug': False}}\n"),
    "python-environ": ("e.py", lambda n, v: f'os.environ["{n}"] = "{v}"\n'),
    "go-setenv": ("e.go", lambda n, v: f'\tos.Setenv("{n}", "{v}")\n'),
    "java-put": ("M.java", lambda n, v: f'headers.put("{n.lower()}", "{v}");\n'),
    "tfvars": ("prod.tfvars", lambda n, v: f'{n.lower()} = "{v}"\n'),
    "terraform-default": ("vars.tf", lambda n, v: f'variable "{n.lower()}" {{\n  type    = string\n  default = "{v}"\n}}\n'),
    "postman": ("env.postman.json", lambda n, v: json.dumps({"values": [{"key": n.lower(), "value": v, "enabled": True}]}, indent=2)),
    "arm-parameter": ("params.json", lambda n, v: json.dumps({"parameters": {camel(n): {"value": v}}}, indent=2)),
    "plist": ("Info.plist", lambda n, v: f"<dict>\n\t<key>{camel(n)}</key>\n\t<string>{v}</string>\n</dict>\n"),
    "android": ("strings.xml", lambda n, v: f'<resources>\n    <string name="{n.lower()}">{v}</string>\n</resources>\n'),
    "log": ("app.log", lambda n, v: f"2024-03-01 12:00:01 DEBUG config - {n.lower()}={v}, retries=3\n"),
    "markdown": ("README.md", lambda n, v: f"Set it first:\n\n```\nexport {n}={v}\n```\n"),
    "markdown-table": ("table.md", lambda n, v: f"| {n} | `{v}` |\n"),
    "diff": ("c.diff", lambda n, v: f"@@ -1,2 +1,2 @@\n-{n}=\n+{n}={v}\n"),
    "csv": ("vars.csv", lambda n, v: f"name,value\n{n},{v}\n"),
    "html-comment": ("todo.html", lambda n, v: f"<!-- {n.lower()}: {v} -->\n"),
    "cookie": ("cookie.txt", lambda n, v: f"Cookie: lang=en; {n.lower()}={v}; theme=dark\n"),
    "sql-insert": ("dump.sql", lambda n, v: f"INSERT INTO settings (name, value) VALUES ('{n.lower()}', '{v}');\n"),
    "notebook": ("n.ipynb", lambda n, v: json.dumps({"cells": [{"cell_type": "code", "source": [f'{n} = "{v}"\n']}]})),
}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout.decode()


def keys(folder):
    """Private keys of the kinds that tools make, by what they are."""
    def ssh(kind, *more):
        path = os.path.join(folder, "k" + some("x", 8))
        run("ssh-keygen", "-q", "-t", kind, "-C", "", "-f", path, *more)
        return open(path).read()
    found = {
        "openssh-ed25519": ssh("ed25519", "-N", ""),
        "openssh-rsa": ssh("rsa", "-b", "2048", "-N", ""),
        "openssh-encrypted": ssh("ed25519", "-N", some("a", 12)),
        "pkcs1": run("openssl", "genrsa", "-traditional", "2048"),
        "pkcs8": run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "sec1": run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"),
        "ed25519": run("openssl", "genpkey", "-algorithm", "ed25519"),
        "pkcs8-encrypted": run("openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:" + some("a", 12)),
    }
    return found


def one_line(key):
    lines = key.strip().split("\n")
    return lines[0] + " " + " ".join(lines[1:-1]) + " " + lines[-1]


KEY_CONTEXTS = {
    "file": ("id_key", lambda k: k),
    "crlf": ("crlf.pem", lambda k: k.replace("\n", "\r\n")),
    "indented": ("k.yaml", lambda k: "tls:\n  key: |\n" + "".join("    " + line + "\n" for line in k.strip().split("\n"))),
    "json": ("k.json", lambda k: json.dumps({"private_key": k})),
    "json-nested": ("kk.json", lambda k: json.dumps({"a": json.dumps({"private_key": k})})),
    "env-escaped": ("k.env", lambda k: 'PRIVATE_KEY="' + k.replace("\n", "\\n") + '"\n'),
    "one-line": ("one.txt", lambda k: "key=" + one_line(k) + "\n"),
    "no-breaks": ("nob.txt", lambda k: "key=" + k.replace("\n", "") + "\n"),
    "quoted-lines": ("k.java", lambda k: "String k =\n" + " +\n".join('    "' + line + '\\n"' for line in k.strip().split("\n")) + ";\n"),
    "c-lines": ("k.c", lambda k: "const char k[] =\n" + "\n".join('    "' + line + '\\n"' for line in k.strip().split("\n")) + ";\n"),
    "python-string": ("k.py", lambda k: 'KEY = """' + k + '"""\n'),
    "js-template": ("k.js", lambda k: "const key = `" + k + "`;\n"),
    "comment": ("k.sh", lambda k: "".join("# " + line + "\n" for line in k.strip().split("\n"))),
    "xml": ("k.xml", lambda k: "<key>\n" + k + "</key>\n"),
    "base64": ("kb.txt", lambda k: "key: " + b64(k) + "\n"),
    "base64-wrapped": ("kbw.txt", lambda k: wrapped(b64(k)) + "\n"),
    "percent": ("kp.txt", lambda k: "key=" + urllib.parse.quote(k, safe="") + "\n"),
    "utf16": ("k16.txt", lambda k: k.encode("utf-16-le")),
    "patch": ("k.diff", lambda k: "".join("+" + line + "\n" for line in k.strip().split("\n"))),
    "quoted-mail": ("k.eml", lambda k: "".join("> " + line + "\n" for line in k.strip().split("\n"))),
    "heredoc": ("k2.sh", lambda k: "cat > key <<EOF\n" + k + "EOF\n"),
    "double-escaped": ("kd.txt", lambda k: 'key: "' + k.replace("\n", "\\\\n") + '"\n'),
}

# Rule and context ("*": any): why it cannot be found.
EXPLAINED = {
    ("key.ed25519", "patch"): "the marks of a patch are letters of base64, and nothing tells them from the key's",
}


def archive(path, files):
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as out:
        for name, text in files:
            data = text if isinstance(text, bytes) else text.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            out.addfile(entry, io.BytesIO(data))
    layer = layer.getvalue()
    config = json.dumps({"os": "linux", "architecture": "amd64", "config": {},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
                         "history": [{"created_by": "COPY"}]}).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": None, "Layers": ["l/layer.tar"]}]).encode()
    with tarfile.open(path, "w") as out:
        for member, data in ((name, config), ("manifest.json", manifest), ("l/layer.tar", layer)):
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            out.addfile(entry, io.BytesIO(data))


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    show_misses = "--misses" in sys.argv
    only = sys.argv[sys.argv.index("--rule") + 1] if "--rule" in sys.argv else ""
    made_of = {}  # file: (rule, context)
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for rule, (name, form) in FORMS.items():
            for context, (file, text) in CONTEXTS.items():
                if only and only not in rule:
                    continue
                value = form() if callable(form) else made(form)
                path = f"{rule}/{context}/{file}"
                made_of[path] = (rule, context)
                files.append((path, text(name, value)))
        for kind, key in keys(folder).items():
            for context, (file, text) in KEY_CONTEXTS.items():
                if only and only not in "key." + kind:
                    continue
                path = f"key.{kind}/{context}/{file}"
                made_of[path] = ("key." + kind, context)
                files.append((path, text(key)))
        image = os.path.join(folder, "image.tar")
        archive(image, files)
        report = json.loads(subprocess.run([arguments[0], "audit", "--format", "json", "archive:" + image],
                                           capture_output=True).stdout)
    found = {}
    for finding in report["images"][0]["leaks"] + report["images"][0]["notes"]:
        for place in finding["locations"]:
            if finding["rule"].endswith("-file"):
                continue  # by its name alone
            found.setdefault(place["path"], set()).add((finding["rule"], place.get("line")))
    by_rule, by_context, bad, twice = {}, {}, [], []
    for path, (rule, context) in made_of.items():
        hit = path in found
        for table, key in ((by_rule, rule), (by_context, ("key " if rule.startswith("key.") else "") + context)):
            had, all_ = table.get(key, (0, 0))
            table[key] = (had + hit, all_ + 1)
        if not hit and (rule, context) not in EXPLAINED and (rule, "*") not in EXPLAINED:
            bad.append((rule, context))
        lines = [line for _, line in found.get(path, ())]
        if len(lines) != len(set(lines)):
            twice.append((path, sorted(found[path])))
    for title, table in (("rule", by_rule), ("context", by_context)):
        print(f"found/made per {title}")
        for key, (had, all_) in table.items():
            print(f"  {key:34} {had:4}/{all_}" + ("" if had == all_ else "  *"))
    had, all_ = sum(v[0] for v in by_rule.values()), sum(v[1] for v in by_rule.values())
    print(f"all: {had}/{all_} ({100 * had / all_:.1f} %)")
    if show_misses:
        for rule, context in bad:
            print("missed:", rule, "in", context)
        for path, rules in twice:
            print("said twice:", path, rules)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
