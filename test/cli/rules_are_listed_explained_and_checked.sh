# rules: list, show, explain, check, test.
. "$(dirname "$0")/_common.sh"
expect 0 "$IMGBUILD" rules list
[ "$(wc -l <"$t/out")" -ge 50 ] || fail "too few rules"
id=$(awk 'NR == 1 {print $1}' "$t/out")
is "sorted" "$(awk '{print $1}' "$t/out")" "$(awk '{print $1}' "$t/out" | LC_ALL=C sort)"
expect 0 "$IMGBUILD" rules show "$id"
has "$t/out" "$id"
has "$t/out" severity
expect 0 "$IMGBUILD" rules explain "$id"
has "$t/out" 'What to do:'
expect 2 "$IMGBUILD" rules show "${id}x"
one_line "did you mean $id?"
expect 0 "$IMGBUILD" rules check
has "$t/out" 'all as they say'

cat >own.toml <<'TOML'
[[rule]]
id = "acme.token"
says = "acme token: its holder can order anvils"
text = ['''\b(acme_[0-9a-f]{16})\b''']
scrub = "refuse"
severity = "high"
leak = ['''acme_{{}}4f7a1c9e0b3d8f62''']
safe = ['''acme_order''']
TOML
expect 0 "$IMGBUILD" rules check own.toml
sed 's/acme_order/acme_{{}}fedcba9876543210/' own.toml >wrong.toml
expect 1 "$IMGBUILD" rules check wrong.toml
has "$t/out" acme.token
grep -v '^safe' own.toml >unsafe.toml
expect 2 "$IMGBUILD" rules check unsafe.toml
one_line acme.token
printf 'id = [\n' >broken.toml
expect 2 "$IMGBUILD" rules check broken.toml
one_line broken.toml
expect 2 "$IMGBUILD" stage . --rules missing.toml
one_line missing.toml

value=acme_$(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n')
printf 'first\nsecond %s\n' "$value" >file
expect 0 "$IMGBUILD" rules test file
expect 1 "$IMGBUILD" rules test --rules own.toml file
has "$t/out" 'file:2: acme.token'
hasnt "$t/out" "$value"
expect 1 "$IMGBUILD" rules test --rules own.toml - <file
mkdir app
cp file app/
expect 1 "$IMGBUILD" stage app --rules own.toml

# A configuration of gitleaks is rules too; they have no examples.
cat >gitleaks.toml <<'TOML'
title = "ours"
[extend]
useDefault = true
[[rules]]
id = "anvil-token"
description = "anvil token"
regex = '''anvil_[0-9a-f]{16,}'''
keywords = ["anvil_"]
TOML
expect 0 "$IMGBUILD" rules check gitleaks.toml
has "$t/out" '1 of them from gitleaks files, which have no examples'
printf 'anvil_%s\n' 9d3b71c05e82f46a >anvil.txt
expect 1 "$IMGBUILD" rules test --rules gitleaks.toml anvil.txt
has "$t/out" gitleaks.anvil-token
sed -i 's/{16,}/{16,}(/' gitleaks.toml
expect 2 "$IMGBUILD" rules check gitleaks.toml
one_line 'gitleaks.toml: rule anvil-token: regex'
