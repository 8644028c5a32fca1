# Every form of a report, of an image whose names are hostile, read back by parsers that are not ours.
. "$(dirname "$0")/_common.sh"
make_key key
mkdir tree
python3 - <<'PYTHON'
import os
key = open("key").read()
names = ["a\nb::error title=x", "]]>", "<script>alert(1)<", "%0A::warning ::z", "\x1b[2J", "w" * 200, '"onload="x', "a,b:c",
         b"\xff\xfe no text".decode("utf-8", "surrogateescape")]
for number, name in enumerate(names):
    with open(os.path.join("tree", name), "w") as file:
        file.write(key)
os.makedirs("/".join(["tree"] + ["d" * 200] * 12))
with open(os.path.join("tree", *["d" * 200] * 12, "k"), "w") as file:  # a path of over 2,400 characters
    file.write(key)
PYTHON
layer l.tar tree
archive leak.tar l.tar
report=()
for format in text json sarif gitlab github junit html; do report+=(--report "$format=$t/leak.$format"); done
expect 1 "$IMGBUILD" audit archive:leak.tar "${report[@]}"
has "$t/out" 'verdict: leak: 1 secret in 1 image'
for format in text json sarif gitlab github junit html; do
  # The same as on standard output, long lists apart.
  expect 1 "$IMGBUILD" audit archive:leak.tar --all --format $format
  [ $format = gitlab ] || cmp -s <(grep -v identity "$t/out") <(grep -v identity "$t/leak.$format") || fail "$format differs"
  hasnt "$t/leak.$format" "$(sed -n 2p key)"
done
cd "$t"
python3 - <<'PYTHON'
import json, re, xml.etree.ElementTree
from html.parser import HTMLParser

own = json.load(open("leak.json"))
places = own["images"][0]["leaks"][0]["locations"]
assert len(places) == 10, len(places)

sarif = json.load(open("leak.sarif"))
(run,) = sarif["runs"]
assert sarif["version"] == "2.1.0" and "sarif-schema-2.1.0.json" in sarif["$schema"]
rules = run["tool"]["driver"]["rules"]
assert len(run["results"]) == 1
for result in run["results"]:
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] and result["message"]["text"]
    assert re.fullmatch("[0-9a-f]{32}", result["partialFingerprints"]["imgbuild/v1"])
    assert len(result["locations"]) == len(places)
    for location in result["locations"]:
        uri = location["physicalLocation"]["artifactLocation"]
        assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri["uri"]), uri
        assert uri["uriBaseId"] in run["originalUriBaseIds"] and location["logicalLocations"][0]["fullyQualifiedName"]

gitlab = json.load(open("leak.gitlab"))
assert re.fullmatch(r"15\.\d+\.\d+", gitlab["version"])
for tool in "analyzer", "scanner":
    assert all(gitlab["scan"][tool][key] for key in ("id", "name", "version", "vendor"))
for key in "start_time", "end_time":
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", gitlab["scan"][key])
(leak,) = gitlab["vulnerabilities"]
assert leak["id"] and leak["identifiers"][0]["type"] and leak["location"]["file"] and leak["location"]["commit"]["sha"]
assert len(leak["name"]) <= 255

lines = open("leak.github", newline="\n").read().splitlines()
assert len(lines) == 2, lines
for line in lines:
    properties, message = re.fullmatch(r"::(?:error|warning|notice) ([^:]*)::(.*)", line).groups()
    assert all(re.fullmatch(r"(file|line|title)=[^,]*", one) for one in properties.split(",")), properties

suite = xml.etree.ElementTree.parse("leak.junit").getroot()
assert suite.find("testsuite").get("failures") == "1" and len(suite.findall(".//failure")) == 1

class Page(HTMLParser):
    tags = set()
    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        assert not any(name.startswith("on") or name == "src" for name, _ in attributes)
Page().feed(open("leak.html").read())
assert "script" not in Page.tags and "link" not in Page.tags and "section" in Page.tags
PYTHON
cd - >/dev/null

# The schema of OASIS is not ours to copy; where somebody has it, the report is held against it.
if [ -n "${SARIF_SCHEMA:-}" ]; then
  python3 -c 'import json, sys, jsonschema; jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))' \
    "$SARIF_SCHEMA" "$t/leak.sarif"
fi

# Where a report goes.
expect 2 "$IMGBUILD" audit archive:leak.tar --format yaml
one_line 'must be text, json, sarif'
expect 2 "$IMGBUILD" audit archive:leak.tar --report yaml=x
one_line 'yaml: no such format'
expect 2 "$IMGBUILD" audit archive:leak.tar --report sarif=
one_line 'names no file'
expect 2 "$IMGBUILD" audit archive:leak.tar --report sarif=x --report json=x
one_line 'named twice'
expect 2 "$IMGBUILD" audit archive:leak.tar --report sarif=none/x
one_line 'cannot be written'
expect 1 "$IMGBUILD" audit archive:leak.tar --report plain.json --output -
is "a file alone is JSON" imgbuild.audit/1 "$(jq -r .schema plain.json)"

# A stage's report has the same forms.
mkdir app
printf 'const t = "%s";\n' "$(make_token)" >app/a.js
expect 1 "$IMGBUILD" stage app --format github
has "$t/out" '::error file=a.js,line=1,title=refused%3A npm.'
expect 1 "$IMGBUILD" stage app --format sarif
is "the place" a.js "$(jq -r '.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri' "$t/out")"
expect 1 "$IMGBUILD" stage app --format junit
python3 -c 'import sys, xml.etree.ElementTree as e; assert e.parse(sys.argv[1]).find("testsuite").get("failures") == "1"' "$t/out"
