"""What `docker save` of an image wrote (an OCI layout) made an image for two platforms, of which only ours is there, with
an attestation of it: python3 _index.py SAVED.tar NAME STATEMENT OUT.tar OTHER.tar. The latter has the other platform too."""
import hashlib, io, json, sys, tarfile

saved, name, statement, out, other = sys.argv[1:]
blobs = {}


def blob(content):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    blobs[digest] = content
    return {"digest": digest, "size": len(content)}


def manifest(config, layers):
    made = blob({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": layers,
                 "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **blob(config)}})
    return {"mediaType": "application/vnd.oci.image.manifest.v1+json", **made}


with tarfile.open(saved) as tar:
    read = lambda path: tar.extractfile(path).read()
    kept = json.loads(read("index.json"))["manifests"][0]
    ours = json.loads(read("blobs/sha256/" + kept["digest"][7:]))
    for part in [ours["config"], *ours["layers"]]:
        blob(read("blobs/sha256/" + part["digest"][7:]))
config = json.loads(blobs[ours["config"]["digest"]])
image = {"platform": {"os": "linux", "architecture": config["architecture"]}, **manifest(config, ours["layers"])}
said = {"mediaType": "application/vnd.in-toto+json", **blob({"_type": "https://in-toto.io/Statement/v0.1", "note": statement})}
unknown = {"os": "unknown", "architecture": "unknown"}
about = {"platform": unknown, **manifest({**unknown, "config": {}, "rootfs": {"type": "layers", "diff_ids": [said["digest"]]}}, [said]),
         "annotations": {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}}
first = dict(blobs)
foreign = {"platform": {"os": "linux", "architecture": "s390x"}, **manifest({**config, "architecture": "s390x"}, ours["layers"])}
index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [image, about, foreign]}
for path, have in (out, first), (other, blobs):
    top = blob(index)
    have[top["digest"]] = blobs[top["digest"]]
    named = {"mediaType": index["mediaType"], **top, "annotations": {"io.containerd.image.name": "docker.io/" + name}}
    with tarfile.open(path, "w") as tar:
        for member, content in [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
                                ("index.json", json.dumps({"schemaVersion": 2, "manifests": [named]}).encode()),
                                *(("blobs/sha256/" + digest[7:], content) for digest, content in have.items())]:
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
