#!/usr/bin/env python3
"""A token by each of the roads that lead a secret into an image: every one must be found where it lies.

  python3 test/cli/_roads.py IMGBUILD FOLDER

Each function writes a file as its program does (by the program itself where Debian has it), with a token made anew that
lies in it in the form that this road gives it: packed, encoded, cut, between others. They are one layer of one image.
"""

import base64, bz2, gzip, hashlib, io, json, lzma, marshal, os, pickle, plistlib, quopri, random, sqlite3, string, struct
import subprocess, sys, tarfile, tempfile, zipfile, zlib

import lz4.block, lz4.frame, plyvel  # Debian's

imgbuild, W = sys.argv[1:3]
R = os.path.join(W, "root")
os.makedirs(R)
tempfile.tempdir = W
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
SENTENCES = ("The quick brown fox jumps over the lazy dog and runs away from it again. " * 30).encode()
roads, absent = [], []


# The same bytes each time: a letter by chance before a token would make it a part of another word.
made = random.Random(1729)


def token():  # npm_ and 36 characters, the last six of which are the CRC32 of the rest in base 62
    body = "".join(made.choice(DIGITS) for _ in range(30))
    number, tail = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        tail = DIGITS[digit] + tail
    return "npm" + "_" + body + tail.rjust(6, "0")


def road(write):
    try:
        content = write(token())
    except FileNotFoundError as error:
        return absent.append(f"{write.__name__}: {error}")
    with open(os.path.join(R, write.__name__), "wb") as out:
        out.write(content.encode() if isinstance(content, str) else content)
    roads.append(write.__name__)


def sh(command, cwd=W, inp=None):
    done = subprocess.run(command, shell=True, cwd=cwd, input=inp, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode == 127:
        raise FileNotFoundError(done.stderr.decode().strip())
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def rnd(size):
    return made.randbytes(size)


def rd(path):
    with open(path, "rb") as file:
        return file.read()


def text(t):
    return SENTENCES[:900] + b"\nregistry.token = " + t.encode() + b"\nother = value\n" + SENTENCES[:500]


def zipof(t, name="a.txt"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(name, text(t))
        z.writestr("b.txt", SENTENCES)
    return out.getvalue()


def docx(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        for name, part in parts.items():
            z.writestr(name, part)
    return out.getvalue()


def png(chunks):
    out = b"\x89PNG\r\n\x1a\n"
    first = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))]
    for kind, data in first + chunks + [(b"IDAT", zlib.compress(bytes(4))), (b"IEND", b"")]:
        out += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return out


def pcap(payloads):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for payload in payloads:
        frame = bytes(12) + b"\x08\0\x45" + bytes(31) + b"\x50" + bytes(7) + payload
        out += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    return out


def git(command, cwd):
    names = "GIT_AUTHOR_NAME=a GIT_COMMITTER_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_EMAIL=a@b"
    return sh(f"export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 {names}; {command}", cwd)


def repo(name):
    path = os.path.join(W, name)
    os.makedirs(path)
    git("git init -q -b main . && echo a>a && git add a && git commit -qm a", path)
    return path


def ext4(files, options=""):
    folder = tempfile.mkdtemp()
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(content)
    sh(f"mke2fs -q -t ext4 {options} -d {folder} {folder}.img 8M")
    return rd(folder + ".img")


def addt(tar, name, data, **more):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def tarb(fill, **how):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", **how) as tar:
        fill(tar)
    return out.getvalue()


def sparse(t, options):
    """A zip of zeros and of something packed, whose zeros are holes."""
    folder, out = tempfile.mkdtemp(), io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("zeros", bytes(3 << 20))
        z.writestr(zipfile.ZipInfo("a"), text(t), compress_type=zipfile.ZIP_DEFLATED)
    with open(folder + "/in", "wb") as file:
        file.write(out.getvalue())
    sh("cp --sparse=always in s", folder)
    return sh(f"tar -cS {options} s", folder)


@road
def od_x1z(t):
    return sh('od -Ax -tx1z', inp=text(t))


@road
def xxd_p(t):
    return sh('xxd -p', inp=text(t))


@road
def xxd_plain(t):
    return sh('xxd', inp=text(t))


@road
def hexdump_C(t):
    return sh('hexdump -C', inp=text(t))


@road
def hexdump_plain(t):
    return sh('hexdump', inp=text(t))


@road
def typescript_colors(t):
    return '\x1b[0;32m' + t + '\x1b[0m\r\n'


@road
def typescript_colored_grep(t):
    return 'token=\x1b[01;31m\x1b[Knpm_\x1b[m\x1b[K' + t[4:] + '\r\n'


@road
def quoted_printable(t):
    return b'From: a@b.c\nSubject: x\nContent-Transfer-Encoding: quoted-printable\n\n' + quopri.encodestring(b'Please use this shiny token for the deployment of it: ' + t.encode() + b' and keep it\n')


@road
def eml_base64(t):
    return b'From: a@b\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n' + base64.encodebytes(text(t))


@road
def eml_zip(t):
    return b'From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n\n' + base64.encodebytes(zipof(t)) + b'--x--\n'


@road
def mbox_gz_attach(t):
    return b'From a@b Thu Jan  1 00:00:00 2024\nContent-Transfer-Encoding: base64\n\n' + base64.encodebytes(gzip.compress(text(t)))


@road
def b64_b64_b64(t):
    return b'data: ' + base64.b64encode(base64.b64encode(base64.b64encode(text(t)))) + b'\n'


@road
def helm_release(t):
    return 'data:\n  release: ' + base64.b64encode(base64.b64encode(gzip.compress(b'{"name":"x","config":"' + t.encode() + b'"}' + SENTENCES))).decode()


@road
def json_unicode_escapes(t):
    return '{"k": "' + ''.join(('\\u%04x' % ord(c) for c in t)) + '"}'


@road
def rtf_hexobj(t):
    return '{\\rtf1{\\object\\objemb{\\*\\objdata ' + '\n'.join((text(t).hex()[i:i + 128] for i in range(0, len(text(t)) * 2, 128))) + '}}}'


@road
def html_split_spans(t):
    return "<html><pre>token = <span class='s'>" + t[:14] + "</span><span class='n'>" + t[14:] + '</span></pre></html>'


@road
def html_wbr(t):
    return '<p>token ' + t[:20] + '<wbr>' + t[20:] + '</p>'


@road
def ipynb_stream(t):
    return json.dumps({'cells': [{'cell_type': 'code', 'source': ['import os\n', "T='%s'\n" % t], 'outputs': []}]})


@road
def docx_plain(t):
    return docx({'word/document.xml': '<w:document><w:body><w:p><w:r><w:t>token ' + t + '</w:t></w:r></w:p></w:body></w:document>'})


@road
def docx_split_runs(t):
    return docx({'word/document.xml': '<w:document><w:body><w:p><w:r w:rsidR="00A1"><w:t xml:space="preserve">token ' + t[:12] + '</w:t></w:r><w:proofErr w:type="spellStart"/><w:r w:rsidRPr="00B2"><w:rPr><w:b/></w:rPr><w:t>' + t[12:] + '</w:t></w:r></w:p></w:body></w:document>'})


@road
def docx_image_zip(t):
    return docx({'word/embeddings/oleObject1.bin': b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + bytes(600) + zipof(t) + bytes(700)})


@road
def odt_split(t):
    return docx({'content.xml': '<text:p>token ' + t[:12] + '<text:span text:style-name="T1">' + t[12:] + '</text:span></text:p>'})


@road
def xlsx_shared(t):
    return docx({'xl/sharedStrings.xml': '<sst><si><t>a</t></si><si><t>' + t + '</t></si></sst>'})


@road
def xlsx_rich(t):
    return docx({'xl/sharedStrings.xml': '<sst><si><r><t>' + t[:12] + '</t></r><r><rPr><b/></rPr><t>' + t[12:] + '</t></r></si></sst>'})


@road
def ole_doc_utf16(t):
    return b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + bytes(504) + rnd(512) + ('Password list\r token ' + t + '\r').encode('utf-16le') + bytes(400)


@road
def dsstore_utf16be(t):
    return b'\x00\x00\x00\x01Bud1' + rnd(100) + b'\x00\x00\x00(' + t.encode('utf-16be') + b'cmmtustr\x00\x00'


@road
def bplist(t):
    return plistlib.dumps({'a': 1, 'token': t, 'z': SENTENCES.decode()}, fmt=plistlib.FMT_BINARY)


@road
def bplist_utf16(t):
    return plistlib.dumps({'tökén': 'é ' + t}, fmt=plistlib.FMT_BINARY)


@road
def registry_hive(t):
    return b'regf' + rnd(508) + b'hbin' + rnd(60) + struct.pack('<i', -100) + (t + '\x00').encode('utf-16le') + struct.pack('<i', -40) + b'vk\x05\x00' + rnd(80)


@road
def dotnet_us(t):
    us = 'x'.encode('utf-16le')
    s = t.encode('utf-16le')
    return b'MZ' + rnd(510) + b'BSJB' + rnd(60) + b'\x03' + us + b'\x00' + bytes([len(s) + 1]) + s + b'\x00' + b'\x15' + 'Hello wor'.encode('utf-16le') + b'\x00' + rnd(300)


@road
def npy_unicode(t):
    h = b"{'descr': '<U40', 'fortran_order': False, 'shape': (2,), }"
    h = h + b' ' * (117 - len(h)) + b'\n'
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(h)) + h + '{:\x00<40}'.format('hello').encode('utf-32le') + t.encode('utf-32le')


@road
def pickle_obj(t):
    return pickle.dumps({'user': 'bob', 'token': t, 'x': [1, 2, 3]})


@road
def msgpack_obj(t):
    return b'\x82\xa4user\xa3bob\xa5token\xd9' + bytes([len(t)]) + t.encode()


@road
def cbor_obj(t):
    return b'\xa2dusercbobetokenx' + bytes([len(t)]) + t.encode()


@road
def bson_obj(t):
    d = b'\x02token\x00' + struct.pack('<i', len(t) + 1) + t.encode() + b'\x00\x00'
    return struct.pack('<i', len(d) + 4) + d


@road
def protobuf_obj(t):
    return b'\n\x05alice\x12' + bytes([len(t)]) + t.encode() + b'\x1a\x03bob'


@road
def arrow_lz4(t):
    b = text(t)
    f = lz4.frame.compress(b)
    return b'ARROW1\x00\x00' + rnd(200) + struct.pack('<q', len(b)) + f + bytes(10) + b'ARROW1'


@road
def sqlite_deleted(t):
    p = W + '/d.db'
    c = sqlite3.connect(p)
    c.execute('pragma secure_delete=off')
    c.execute('create table u(a,b,c)')
    for i in range(50):
        c.execute('insert into u values(?,?,?)', ('alice%d' % i, 'x%d' % i, 'hello'))
    c.execute('insert into u values(?,?,?)', ('alice', t, 'bobsmith'))
    c.commit()
    c.execute("delete from u where a='alice'")
    c.commit()
    c.close()
    return open(p, 'rb').read()


@road
def sqlite_freelist(t):
    p = W + '/f.db'
    c = sqlite3.connect(p)
    c.execute('pragma secure_delete=off')
    c.execute('create table u(a,b,c)')
    for i in range(500):
        c.execute('insert into u values(?,?,?)', ('alice%d' % i, 'x%d' % i, 'hello'))
    c.execute('insert into u values(?,?,?)', ('alice', t, 'bobsmith'))
    c.commit()
    c.execute('drop table u')
    c.commit()
    c.close()
    return open(p, 'rb').read()


@road
def sqlite_journal(t):
    p = W + '/j.db'
    c = sqlite3.connect(p, isolation_level=None)
    c.execute('pragma secure_delete=on')
    c.execute('create table u(a,b,c)')
    c.execute('insert into u values(?,?,?)', ('alice', t, 'bobsmith'))
    c.execute('begin')
    c.execute('pragma cache_size=1')
    c.execute('delete from u')
    c.execute('create table z(a)')
    for i in range(2000):
        c.execute('insert into z values(?)', ('q' * 500,))
    d = open(p + '-journal', 'rb').read()
    c.execute('rollback')
    return d


@road
def sqlite_journal_persist(t):
    p = W + '/jp.db'
    c = sqlite3.connect(p, isolation_level=None)
    c.execute('pragma journal_mode=persist')
    c.execute('create table u(a,b,c)')
    c.execute('insert into u values(?,?,?)', ('alice', t, 'bobsmith'))
    c.execute("update u set a='x',b='y'")
    c.close()
    return open(p + '-journal', 'rb').read()


@road
def sqlite_wal(t):
    p = W + '/w.db'
    c = sqlite3.connect(p, isolation_level=None)
    c.execute('pragma journal_mode=wal')
    c.execute('create table u(a,b,c)')
    c.execute('insert into u values(?,?,?)', ('alice', t, 'bobsmith'))
    c.execute("update u set a='x',b='y'")
    d = open(p + '-wal', 'rb').read()
    return d


@road
def sqlite_blob_gz(t):
    p = W + '/g.db'
    c = sqlite3.connect(p)
    c.execute('create table u(a,b)')
    c.execute('insert into u values(?,?)', ('alice', gzip.compress(text(t))))
    c.commit()
    c.close()
    return open(p, 'rb').read()


@road
def pg_heap(t):
    v = lambda s: bytes([len(s) + 1 << 1 | 1]) + s.encode()
    return bytes(24) + rnd(8) + b'\x03\x00\x02\t\x18\x00\x01\x00\x00\x00' + v('alice') + v(t) + v('bob') + bytes(16)


@road
def leveldb_log(t):
    p = W + '/ldb'
    d = plyvel.DB(p, create_if_missing=True)
    d.put(b'_https://x\x00\x01token', b'\x01' + t.encode())
    d.close()
    return open([p + '/' + f for f in os.listdir(p) if f.endswith('.log')][0], 'rb').read()


@road
def leveldb_utf16(t):
    p = W + '/ldb2'
    d = plyvel.DB(p, create_if_missing=True)
    d.put(b'_https://x\x00\x01token', b'\x00' + t.encode('utf-16le'))
    d.close()
    return open([p + '/' + f for f in os.listdir(p) if f.endswith('.log')][0], 'rb').read()


@road
def leveldb_sst(t):
    p = W + '/ldb3'
    d = plyvel.DB(p, create_if_missing=True)
    for i in range(3000):
        d.put(b'key%06d' % i, b'value of the key %d' % i)
    d.put(b'key001500', text(t))
    d.compact_range()
    d.close()
    return open([p + '/' + f for f in sorted(os.listdir(p)) if f.endswith('.ldb')][0], 'rb').read()


@road
def git_fetch_head(t):
    return '0' * 40 + "\t\tbranch 'main' of https://ci:" + t + '@github.com/a/b\n'


@road
def git_notes_bundle(t):
    p = repo('nb')
    open(p + '/n', 'wb').write(text(t))
    git('git notes add -F n && git bundle create x.bundle --all refs/notes/commits', p)
    return rd(p + '/x.bundle')


@road
def git_bundle_v3(t):
    p = repo('b3')
    open(p + '/n', 'wb').write(text(t))
    git('git add n; git commit -qm n; git bundle create --version=3 x.bundle HEAD', p)
    return rd(p + '/x.bundle')


@road
def git_submodule_cfg(t):
    return '[submodule "x"]\n\turl = https://ci:' + t + '@git.example.org/x\n'


@road
def git_reflog(t):
    return '0' * 40 + ' ' + '1' * 40 + ' a <a@b> 1700000000 +0000\tclone: from https://x:' + t + '@h/a.git\n'


@road
def git_patch_text(t):
    return 'diff --git a/.npmrc b/.npmrc\n--- a/.npmrc\n+++ b/.npmrc\n@@ -1 +1 @@\n-//registry.npmjs.org/:_authToken=' + t + '\n+x\n'


@road
def reftable_log(t):
    return b'REFT\x01\x00\x10\x00' + bytes(16) + b'g\x00\x02\x00' + zlib.compress(text(t)) + bytes(60)


@road
def gitlfs_pack_ofs(t):
    p = repo('pk')
    open(p + '/n', 'wb').write(text(t))
    git('git add n; git commit -qm n; git rm -q n; git commit -qm m; git gc -q', p)
    return rd([os.path.join(p, '.git/objects/pack', f) for f in os.listdir(p + '/.git/objects/pack') if f.endswith('.pack')][0])


@road
def hg_revlog(t):
    return b'\x00\x01\x00\x01' + bytes(60) + zlib.compress(text(t))


@road
def hg_revlog_zstd(t):
    return b'\x00\x01\x00\x01' + bytes(60) + sh('zstd -c', inp=text(t))


@road
def svn_rep_deflate(t):
    return b'DELTA\nSVN\x01' + bytes([0, 0, 141, 0, 1]) + zlib.compress(text(t))


@road
def pcap_bearer(t):
    return pcap([b'GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ' + t.encode() + b'\r\n\r\n'])


@road
def pcap_gzip_body(t):
    return pcap([b'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n' + gzip.compress(text(t))])


@road
def core_environ(t):
    return b'\x7fELF\x02\x01\x01' + bytes(57) + rnd(2000) + b'HOME=/root\x00NPM_TOKEN=' + t.encode() + b'\x00PATH=/bin\x00' + rnd(300)


@road
def har_b64(t):
    return json.dumps({'log': {'entries': [{'response': {'content': {'encoding': 'base64', 'text': base64.b64encode(text(t)).decode()}}}]}})


@road
def ext4_plain(t):
    return ext4({'a': text(t)})


@road
def ext4_gz(t):
    return ext4({'a.gz': gzip.compress(text(t))})


@road
def ext4_zip(t):
    return ext4({'a.zip': zipof(t)})


@road
def mbr_ext4_zip(t):
    return bytes(446) + b'\x80\x00\x00\x00\x83\x00\x00\x00' + struct.pack('<II', 2048, 16384) + bytes(48) + b'U\xaa' + bytes(2048 * 512 - 512) + ext4({'a.docx': zipof(t)})


@road
def ext4_xattr(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'w').write('x')
    sh('setfattr -n user.token -v %s %s/a' % (t, d))
    i = d + '.img'
    sh('mke2fs -q -t ext4 -d %s %s 8M' % (d, i))
    return rd(i)


@road
def ext4_inline(t):
    return ext4({'a': b'token=' + t.encode() + b'\n' * 2 + b'x' * 40}, '-O inline_data')


@road
def iso_joliet_zip(t):
    d = tempfile.mkdtemp()
    open(d + '/a.zip', 'wb').write(zipof(t))
    sh('genisoimage -quiet -J -R -o %s.iso %s' % (d, d))
    return rd(d + '.iso')


@road
def squashfs_zip(t):
    d = tempfile.mkdtemp()
    open(d + '/a.zip', 'wb').write(zipof(t))
    sh('mksquashfs %s %s.sq -quiet -no-progress' % (d, d))
    return rd(d + '.sq')


@road
def squashfs_xattr(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(b'x')
    sh('setfattr -n user.token -v %s %s/a' % (t, d))
    sh('mksquashfs %s %s.sq -quiet -no-progress -xattrs' % (d, d))
    return rd(d + '.sq')


@road
def squashfs_xattr_long(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(b'x')
    v = (SENTENCES[:1500].decode() + ' token = ' + t).replace("'", '')
    sh("setfattr -n user.token -v '%s' %s/a" % (v, d))
    sh('mksquashfs %s %s.sq -quiet -no-progress -xattrs' % (d, d))
    return rd(d + '.sq')


@road
def squashfs_name(t):
    d = tempfile.mkdtemp()
    open(d + '/' + t, 'wb').write(b'x')
    sh('mksquashfs %s %s.sq -quiet -no-progress' % (d, d))
    return rd(d + '.sq')


@road
def initrd_row(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(b'x')
    one = sh('echo a | cpio -o -H newc', d)
    open(d + '/a', 'wb').write(text(t))
    two = sh('echo a | cpio -o -H newc | gzip', d)
    return one + one + bytes(512) + two


@road
def cpio_bin_old(t):
    d = tempfile.mkdtemp()
    open(d + '/a.gz', 'wb').write(gzip.compress(text(t)))
    return sh('echo a.gz | cpio -o -H bin', d)


@road
def cpio_bin_zip(t):
    d = tempfile.mkdtemp()
    open(d + '/a.zip', 'wb').write(zipof(t))
    open(d + '/b', 'wb').write(SENTENCES * 20)
    return sh('ls a.zip b| cpio -o -H bin', d)


@road
def vmdk_stream(t):
    b = bytearray(65536 * 2)
    s = text(t)
    b[65536 - 1000:65536 - 1000 + len(s)] = s
    o = b'KDMV' + struct.pack('<IIQQQQIQQQ', 3, 196609, 256, 128, 0, 0, 512, 0, 18446744073709551615, 128) + b'\x00\n \r\n' + struct.pack('<H', 1)
    o += bytes(512 - len(o))
    o += bytes(127 * 512)
    for i in range(2):
        z = zlib.compress(bytes(b[i * 65536:(i + 1) * 65536]))
        g = struct.pack('<QI', i * 128, len(z)) + z
        o += g + bytes(-len(g) % 512)
    return o


@road
def vhd_zip(t):
    return bytes(512) + zipof(t) + bytes(600) + b'conectix' + bytes(504)


@road
def dmg_koly(t):
    return zlib.compress(text(t)) + bytes(100) + b'koly' + bytes(508)


@road
def jffs2_zlib(t):
    return b'\x85\x19\x02\xe0' + bytes(60) + zlib.compress(text(t)) + bytes(20)


@road
def tar_in_raw(t):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode='w') as z:
        i = tarfile.TarInfo('a.zip')
        d = zipof(t)
        i.size = len(d)
        z.addfile(i, io.BytesIO(d))
    return rnd(700) + b.getvalue() + rnd(100)


@road
def zip_in_midst(t):
    return rnd(1000) + zipof(t) + rnd(3000)


@road
def zip_prefix_comment(t):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w') as z:
        z.writestr('a', 'x')
        z.comment = ('c ' + t).encode()
    return b.getvalue()


@road
def zip_comment_gz(t):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w') as z:
        z.writestr('a', 'x')
        z.comment = gzip.compress(text(t))
    return b.getvalue()


@road
def zip_between_gz(t):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w') as z:
        z.writestr('a', 'x' * 2000)
    d = b.getvalue()
    e = d.index(b'PK\x01\x02')
    g = gzip.compress(text(t))
    n = len(g)
    tail = bytearray(d[e:])
    o = tail.rindex(b'PK\x05\x06')
    struct.pack_into('<I', tail, o + 16, e + n)
    return d[:e] + g + bytes(tail)


@road
def zip_extra_utf16(t):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w') as z:
        i = zipfile.ZipInfo('a')
        i.extra = struct.pack('<HH', 16724, len(t)) + t.encode()
        z.writestr(i, 'x')
    return b.getvalue()


@road
def gz_fields(t):
    d = bytearray(gzip.compress(SENTENCES))
    d[3] |= 4 | 16
    ex = b'AP' + struct.pack('<H', 4) + b'abcd'
    return bytes(d[:10]) + struct.pack('<H', len(ex)) + ex + b'token ' + t.encode() + b'\x00' + bytes(d[10:])


@road
def gz_trailing(t):
    return gzip.compress(SENTENCES) + bytes(30) + b'\n' + t.encode() + b'\n'


@road
def gz_trailing_bz2(t):
    return gzip.compress(SENTENCES) + bytes(30) + bz2.compress(text(t))


@road
def gz_trailing_zip(t):
    return gzip.compress(SENTENCES) + zipof(t)


@road
def xz_padding_two(t):
    return lzma.compress(SENTENCES) + bytes(8) + lzma.compress(text(t))


@road
def xz_trailing_junk(t):
    return lzma.compress(SENTENCES) + b'JUNK' + gzip.compress(text(t))


@road
def bz2_trailing(t):
    return bz2.compress(SENTENCES) + b'JUNKJUNK' + gzip.compress(text(t))


@road
def zst_skippable(t):
    return sh('zstd -c', inp=SENTENCES) + b'Z*M\x18' + struct.pack('<I', len(gzip.compress(text(t), mtime=0))) + gzip.compress(text(t), mtime=0)


@road
def lz4_skippable(t):
    return sh('lz4 -c', inp=SENTENCES) + b'Z*M\x18' + struct.pack('<I', len(gzip.compress(text(t), mtime=0))) + gzip.compress(text(t), mtime=0) + sh('lz4 -c', inp=SENTENCES)


@road
def lzma_alone(t):
    return lzma.compress(text(t), format=lzma.FORMAT_ALONE)


@road
def seven_zip(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(text(t))
    sh('7z a -bd x.7z a', d)
    return rd(d + '/x.7z')


@road
def seven_zip_trailing(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(SENTENCES)
    sh('7z a -bd x.7z a', d)
    return rd(d + '/x.7z') + gzip.compress(text(t))


@road
def squashfs_trailing(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(b'x')
    sh('mksquashfs %s %s.sq -quiet -no-progress' % (d, d))
    return rd(d + '.sq') + gzip.compress(text(t))


@road
def appimage(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(text(t))
    sh('mksquashfs %s %s.sq -quiet -no-progress -comp xz' % (d, d))
    return b'\x7fELF\x02\x01\x01\x00AI\x02' + rnd(70000) + rd(d + '.sq')


@road
def deb_extra(t):
    d = tempfile.mkdtemp()
    open(d + '/_gpgorigin', 'wb').write(gzip.compress(text(t)))
    open(d + '/debian-binary', 'w').write('2.0\n')
    sh('ar r x.deb debian-binary _gpgorigin', d)
    return rd(d + '/x.deb')


@road
def tar_longname(t):
    return tarb(lambda z: addt(z, 'd/' * 80 + t + '/' + 'x' * 90, b'x'), format=tarfile.GNU_FORMAT)


@road
def tar_global(t):
    return tarb(lambda z: addt(z, 'a', b'x'), format=tarfile.PAX_FORMAT, pax_headers={'comment': t})


@road
def tar_xattr(t):
    return tarb(lambda z: addt(z, 'a', b'x', pax_headers={'SCHILY.xattr.user.t': t}), format=tarfile.PAX_FORMAT)


@road
def tar_xattr_b64(t):
    return tarb(lambda z: addt(z, 'a', b'x', pax_headers={'LIBARCHIVE.xattr.user.t': base64.b64encode(t.encode()).decode().rstrip('=')}), format=tarfile.PAX_FORMAT)


@road
def tar_sparse_gnu(t):
    return sparse(t, '--format=gnu')


@road
def tar_sparse_00(t):
    return sparse(t, '--format=pax --sparse-version=0.0')


@road
def tar_sparse_01(t):
    return sparse(t, '--format=pax --sparse-version=0.1')


@road
def tar_sparse_10(t):
    return sparse(t, '--format=pax --sparse-version=1.0')


@road
def tar_sparse_gnu_zip(t):
    return sparse(t, '--format=gnu')


@road
def tar_sparse_10_zip(t):
    return sparse(t, '--format=pax --sparse-version=1.0')


@road
def tar_same_path(t):
    return tarb(lambda z: (addt(z, 'a', text(t)), addt(z, 'a', b'clean')))


@road
def tar_multi_after(t):
    return tarb(lambda z: addt(z, 'a', b'x')) + bytes(4096) + tarb(lambda z: addt(z, 'a.zip', zipof(t)))


@road
def tar_v7(t):
    return tarb(lambda z: addt(z, 'a', zipof(t)), format=tarfile.USTAR_FORMAT)


@road
def docker_save_nested(t):
    layer = tarb(lambda z: addt(z, 'app/a.zip', zipof(t)))
    return tarb(lambda z: (addt(z, 'x/layer.tar', layer), addt(z, 'manifest.json', b'[]')))


@road
def containerd_blob(t):
    return gzip.compress(tarb(lambda z: addt(z, 'app/a.zip', zipof(t))))


@road
def docker_config_json(t):
    return json.dumps({'config': {'Env': ['PATH=/bin', 'NPM_TOKEN=' + t]}})


@road
def tar_split_json(t):
    h = tarb(lambda z: addt(z, 'a', b'x', pax_headers={'SCHILY.xattr.user.t': t}), format=tarfile.PAX_FORMAT)
    return gzip.compress(b'{"type":2,"payload":"' + base64.b64encode(h) + b'","position":0}\n')


@road
def png_text(t):
    return png([(b'tEXt', b'Comment\x00' + t.encode())])


@road
def png_ztxt(t):
    return png([(b'zTXt', b'Comment\x00\x00' + zlib.compress(text(t)))])


@road
def png_ztxt_short(t):
    return png([(b'zTXt', b'Comment\x00\x00' + zlib.compress(t.encode()))])


@road
def png_itxt(t):
    return png([(b'iTXt', b'XML:com\x00\x01\x00\x00\x00' + zlib.compress(text(t)))])


@road
def png_idat_trailing(t):
    return png([]) + zipof(t)


@road
def jpeg_xmp(t):
    x = b'http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>' + t.encode() + b'</x:xmpmeta>'
    return b'\xff\xd8\xff\xe1' + struct.pack('>H', len(x) + 2) + x + rnd(300) + b'\xff\xd9'


@road
def exif_utf16(t):
    x = b'Exif\x00\x00II*\x00' + bytes(30) + (t + '\x00').encode('utf-16le')
    return b'\xff\xd8\xff\xe1' + struct.pack('>H', len(x) + 2) + x + rnd(300)


@road
def mp3_id3(t):
    s = b'\x01\xff\xfe' + t.encode('utf-16le')
    return b'ID3\x03\x00\x00\x00\x00\x01\x00COMM' + struct.pack('>I', len(s)) + b'\x00\x00' + s + rnd(400)


@road
def mp4_meta(t):
    return b'\x00\x00\x00\x18ftypmp42' + bytes(16) + b'\x00\x00\x00`moov\xa9cmt\x00\x00\x008data\x00\x00\x00\x01\x00\x00\x00\x00' + t.encode() + rnd(100)


@road
def woff_meta(t):
    return b'wOFF' + rnd(60) + zlib.compress(text(t))


@road
def swf_cws(t):
    return b'CWS\n' + struct.pack('<I', 3000) + zlib.compress(text(t))


@road
def svgz(t):
    return gzip.compress(b'<svg>' + text(t) + b'</svg>')


@road
def pyc(t):
    return b'\xa7\r\r\n' + bytes(12) + marshal.dumps(compile("def f():\n return 'abc'+'%s'\nx=('hello','%s','bye')" % (t[:5], t), 'a', 'exec'))


@road
def lua_bytecode(t):
    return b'\x1bLuaT\x00\x19\x93\r\n\x1a\n\x04\x08\x08' + rnd(20) + b'\x04\x86hello\x14' + bytes([128 | 41]) + t.encode() + b'\x04\x84bye'


@road
def ko_xz(t):
    return lzma.compress(b'\x7fELF' + rnd(1000) + text(t), check=lzma.CHECK_CRC32)


@road
def vim_swp(t):
    return b'b0VIM 9.0\x00' + bytes(4000) + b'\x00line two\x00token = ' + t.encode() + b'\x00'


@road
def php_serialized(t):
    return 's:5:"token";s:%d:"%s";' % (len(t), t)


@road
def java_serialized(t):
    return b'\xac\xed\x00\x05sr\x00\x05a.b.c' + rnd(10) + b't\x00(' + t.encode() + b't\x00\x03bob'


@road
def winevtx_utf16(t):
    return b'ElfFile\x00' + rnd(4088) + b'ElfChnk\x00' + rnd(500) + t.encode('utf-16le') + rnd(300)


@road
def utf16_late(t):
    return SENTENCES * 3 + b'\n' + ('token = ' + t + '\n').encode('utf-16le')


@road
def elf_debug_zlib(t):
    b = text(t)
    return b'\x7fELF\x02\x01\x01' + bytes(57) + rnd(500) + struct.pack('<IIQQ', 1, 0, len(b), 1) + zlib.compress(b) + rnd(100)


@road
def elf_debug_zstd(t):
    b = text(t)
    return b'\x7fELF\x02\x01\x01' + bytes(57) + rnd(500) + struct.pack('<IIQQ', 2, 0, len(b), 1) + sh('zstd -c', inp=b) + rnd(100)


@road
def ko_zst(t):
    return sh('zstd -c', inp=b'\x7fELF' + rnd(1000) + text(t))


@road
def bzimage_like(t):
    return b'MZ' + rnd(16000) + gzip.compress(rnd(1000) + text(t)) + rnd(3000)


@road
def hprof(t):
    return b'JAVA PROFILE 1.0.2\x00' + rnd(300) + b'#' + rnd(16) + struct.pack('>I', len(t)) + b'\x08' + t.encode() + b'#' + rnd(60)


@road
def jfr_gz(t):
    return b'FLR\x00\x00\x02\x00\x00' + rnd(100) + gzip.compress(text(t))


@road
def v8_heapsnapshot(t):
    return json.dumps({'snapshot': {}, 'strings': ['a', t, 'b']})


@road
def tfrecord(t):
    return struct.pack('<Q', 60) + rnd(4) + b'\n2\n0\n\x05token\x12(\n&' + t.encode() + rnd(4)


@road
def gguf(t):
    return b'GGUF\x03\x00\x00\x00' + rnd(16) + struct.pack('<Q', 5) + b'token' + struct.pack('<IQ', 8, len(t)) + t.encode() + rnd(100)


@road
def safetensors(t):
    h = json.dumps({'__metadata__': {'token': t}}).encode()
    return struct.pack('<Q', len(h)) + h + rnd(300)


@road
def mysql_binlog(t):
    return b'\xfebin' + rnd(40) + ("UPDATE u SET token='%s'" % t).encode() + rnd(30)


@road
def mysql_binlog_zstd(t):
    return b'\xfebin' + rnd(40) + sh('zstd -c', inp=text(t)) + rnd(30)


@road
def myisam_packed(t):
    return b'\xfe\xfe\x07\x01' + rnd(40) + b'\x03\x00' + b'alice' + t.encode() + b'bob'


@road
def mssql_mdf(t):
    return rnd(96) + bytes(4) + b'0\x00\x0c\x00' + rnd(8) + b'\x02\x00\x00\x01\x00Q\x00' + t.encode() + b'\x00\x00' + rnd(300)


@road
def access_mdb_unicode(t):
    return b'\x00\x01\x00\x00Standard Jet DB\x00' + rnd(4000) + b'\xff\xfe' + t.encode() + b'\x0b\x00\x01' + rnd(100)


@road
def mongodb_bson_gz(t):
    return gzip.compress(bytes(8) + b'\x02token\x00' + struct.pack('<i', len(t) + 1) + t.encode() + b'\x00\x00')


@road
def maildir_winmail(t):
    return b'x\x9f>"' + rnd(60) + text(t)


@road
def egg_pyc(t):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('a.pyc', b'\xa7\r\r\n' + bytes(12) + marshal.dumps(compile("x=('hello','%s','bye')" % t, 'a', 'exec')))
    return b.getvalue()


@road
def zip_lzma(t):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w', zipfile.ZIP_LZMA) as z:
        z.writestr('a', text(t))
    return b.getvalue()


@road
def zip_bz2(t):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w', zipfile.ZIP_BZIP2) as z:
        z.writestr('a', text(t))
    return b.getvalue()


@road
def zip_ppmd(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(text(t))
    sh('7z a -bd -mm=PPMd x.zip a', d)
    return rd(d + '/x.zip')


@road
def zip_zstd_method(t):
    z = sh('zstd -c', inp=text(t))
    b = text(t)
    h = struct.pack('<IHHHHHIIIHH', 67324752, 63, 0, 93, 0, 0, zlib.crc32(b), len(z), len(b), 1, 0) + b'a'
    c = struct.pack('<IHHHHHHIIIHHHHHII', 33639248, 63, 63, 0, 93, 0, 0, zlib.crc32(b), len(z), len(b), 1, 0, 0, 0, 0, 0, 0) + b'a'
    return h + z + c + struct.pack('<IHHHHIIH', 101010256, 0, 0, 1, 1, len(c), len(h + z), 0)


@road
def sevenzip_ppmd(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(text(t))
    sh('7z a -bd -m0=PPMd x.7z a', d)
    return rd(d + '/x.7z')


@road
def sevenzip_bcj2(t):
    d = tempfile.mkdtemp()
    open(d + '/a.exe', 'wb').write(b'MZ' + rnd(200) + text(t) + open('/bin/ls', 'rb').read())
    sh('7z a -bd -m0=BCJ2 -m1=LZMA x.7z a.exe', d)
    return rd(d + '/x.7z')


@road
def sevenzip_arm64(t):
    d = tempfile.mkdtemp()
    open(d + '/a', 'wb').write(text(t))
    sh('7z a -bd -m0=Delta:4 -m1=LZMA2 x.7z a', d)
    return rd(d + '/x.7z')


@road
def b64_zlib_json(t):
    return json.dumps({'z': base64.b64encode(zlib.compress(text(t))).decode()})


@road
def b64url_gz(t):
    return b'cfg=' + base64.urlsafe_b64encode(gzip.compress(text(t)))


@road
def b64_zip_html(t):
    return b"<a href='data:application/zip;base64," + base64.b64encode(zipof(t)) + b"'>"


@road
def gzip_utf16(t):
    return gzip.compress((SENTENCES.decode() + t).encode('utf-16'))


@road
def utf16_b64gz(t):
    return ('x = ' + base64.b64encode(gzip.compress(text(t))).decode() + '\n').encode('utf-16')


@road
def reg_export_utf16(t):
    return ('\ufeffWindows Registry Editor Version 5.00\r\n\r\n[HKEY]\r\n"t"="' + t + '"\r\n').encode('utf-16le')


@road
def lnk_utf16(t):
    return b'L\x00\x00\x00\x01\x14\x02\x00' + rnd(70) + struct.pack('<H', len(t)) + t.encode('utf-16le') + rnd(30)


@road
def postgres_custom_dump(t):
    return b'PGDMP\x01\x0e\x00\x04\x08\x01' + rnd(200) + b'\x01' + rnd(5) + struct.pack('<BI', 0, 300) + zlib.compress(text(t)) + rnd(20)


@road
def squid_cache(t):
    return b'\x03\x00\x00\x00' + rnd(60) + b'KEY\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n' + gzip.compress(text(t))


@road
def tiff_desc(t):
    return b'II*\x00' + rnd(60) + b'\x00' + t.encode() + b'\x00' + rnd(300)


@road
def pdf_embedded(t):
    return b'%PDF-1.7\n1 0 obj<</Type/EmbeddedFile/Filter/FlateDecode/Length 1>>stream\n' + zlib.compress(zipof(t)) + b'\nendstream endobj\ntrailer<<>>\n%%EOF'


@road
def pdf_utf16_string(t):
    return b'%PDF-1.7\n1 0 obj<</Title <' + (b'\xfe\xff' + t.encode('utf-16be')).hex().encode() + b'>>>endobj\ntrailer<<>>\n%%EOF'


@road
def flac_vorbis(t):
    return b'fLaC\x04\x00\x00`' + struct.pack('<I', 4) + b'test' + struct.pack('<I', 1) + struct.pack('<I', len(t) + 8) + b'COMMENT=' + t.encode() + rnd(100)


@road
def gif_comment(t):
    return b'GIF89a' + rnd(20) + b'!\xfe' + bytes([len(t)]) + t.encode() + b'\x00;'


@road
def mo_file(t):
    return b'\xde\x12\x04\x95' + rnd(40) + b'msgid\x00' + t.encode() + b'\x00other\x00'


@road
def resx_b64(t):
    return b'<value>' + base64.b64encode(b'\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01' + text(t)) + b'</value>'


@road
def appledouble(t):
    return b'\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X' + rnd(40) + b'ATTR' + rnd(40) + b'com.apple.x\x00' + t.encode() + rnd(20)


@road
def minidump_utf16(t):
    return b'MDMP\x93\xa7' + rnd(500) + ('NPM_TOKEN=' + t + '\x00').encode('utf-16le') + rnd(60)


@road
def pcapng(t):
    return b'\n\r\r\n' + struct.pack('<IIHHq', 28, 439041101, 1, 0, -1) + struct.pack('<I', 28) + b'\x06\x00\x00\x00' + rnd(24) + b'Authorization: Bearer ' + t.encode() + b'\r\n\x00\x00'


@road
def xz_lzma2_concatenated_gz(t):
    return lzma.compress(gzip.compress(bz2.compress(text(t))))


@road
def userdata_gz_b64(t):
    return b'#cloud-config\nwrite_files:\n- encoding: gz+b64\n  content: ' + base64.b64encode(gzip.compress(text(t)))


@road
def tfstate_b64gz(t):
    return json.dumps({'user_data_base64': base64.b64encode(gzip.compress(text(t))).decode()})


@road
def lz4_jsonlz4(t):
    return b'mozLz40\x00' + lz4.block.compress(text(t))


@road
def rocksdb_real(t):
    p = W + '/rk'
    sh("ldb --db=%s --create_if_missing put k1 '%s'" % (p, 'token ' + t))
    sh('ldb --db=%s compact' % p)
    f = [x for x in os.listdir(p) if x.endswith('.sst')]
    return rd(p + '/' + f[0]) if f else rd(p + '/' + [x for x in os.listdir(p) if x.endswith('.log')][0])


@road
def rocksdb_log(t):
    p = W + '/rk2'
    sh("ldb --db=%s --create_if_missing put k1 '%s'" % (p, t))
    return rd(p + '/' + [x for x in os.listdir(p) if x.endswith('.log')][0])


def image():
    sh(f"tar -C {R} --owner=0 --group=0 -cf layer.tar .")
    layer = rd(W + "/layer.tar")
    config = {"architecture": "amd64", "os": "linux", "config": {}, "history": [{"created_by": "RUN all of it"}]}
    config["rootfs"] = {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}
    said = json.dumps(config).encode()
    name = hashlib.sha256(said).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": ["roads:1"], "Layers": ["0/layer.tar"]}]).encode()
    with tarfile.open(W + "/image.tar", "w") as tar:
        addt(tar, "0/layer.tar", layer)
        addt(tar, name, said)
        addt(tar, "manifest.json", manifest)
    return W + "/image.tar"


audit = subprocess.run([imgbuild, "audit", "archive:" + image(), "--no-cache", "--format", "json"], stdout=subprocess.PIPE)
report = json.loads(audit.stdout)["images"][0]
found = {place["path"].removeprefix("./") for leak in report["leaks"] if leak["rule"].startswith(("npm.", "generic.url-", "git."))
         for place in leak["locations"]}
for line in absent:
    print("not here:", line)
missed = [name for name in roads if name not in found]
for name in missed:
    gaps = [gap["why"] for gap in report["coverage"]["not_scanned"] if gap["path"].removeprefix("./").startswith(name)]
    print(f"{name}: missed{', and told: ' + gaps[0] if gaps else ' in silence'}")
print(f"{len(roads) - len(missed)} of {len(roads)} roads lead to a finding")
sys.exit(1 if missed else 0)
