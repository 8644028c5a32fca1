"""A registry that behaves as badly as it is told to. Serves the OCI layout LAYOUT as repository team/app on loopback.

registry.py LAYOUT PORT_FILE LOG MODE...: modes are words:
  basic         asks for user:word in $REGISTRY_LOGIN
  bearer        asks for a token, given for that login (or for anybody, where there is none)
  expiring      a token is good for three requests
  busy          every first request of a kind is answered 503, every second 429
  cut           a blob's connection ends after 1000 bytes; goes on by Range
  norange       the same, and Range is ignored
  short         a blob ends early, as if it were complete
  long          a blob goes on after its end
  redirect      blobs are at another port
  changed       blobs have a byte changed
  echo          what is refused is refused with the Authorization in the message
  down          every answer is 500
LOG gets a line for each request: port, path, and whether it had an Authorization.
"""
import base64
import http.server
import json
import os
import sys
import threading

layout, port_file, log_file, modes = sys.argv[1], sys.argv[2], sys.argv[3], set(sys.argv[4:])
login = os.environ.get("REGISTRY_LOGIN", "")
lock = threading.Lock()
seen, tokens = {}, {}


def blob_file(digest):
    return os.path.join(layout, "blobs", "sha256", digest.split(":")[-1])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def refuse(self, status, **headers):
        words = "no: " + (self.headers.get("Authorization") or "") if "echo" in modes else "no"
        self.answer(status, json.dumps({"errors": [{"code": "X", "message": words}]}).encode(), **headers)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.token(body, True)

    def token(self, query, posted):
        said = self.headers.get("Authorization") or ""
        if posted:
            good = "refresh_token=" + login in query and "grant_type=refresh_token" in query
        else:
            good = not login or said == "Basic " + base64.b64encode(login.encode()).decode()
        if not good or "scope=repository%3Ateam%2Fapp%3Apull" not in query:
            return self.refuse(401)
        with lock:
            token = "tok" + "en-%d-" % len(tokens) + os.urandom(8).hex()
            tokens[token] = 3 if "expiring" in modes else 1 << 30
        self.answer(200, json.dumps({"token": token}).encode())

    def do_GET(self):
        port, path = self.server.server_address[1], self.path
        said = self.headers.get("Authorization") or ""
        with lock:
            with open(log_file, "a") as log:
                log.write("%s %s %s\n" % ("first" if port == first else "second", path.split("?")[0], said.split(" ")[0] or "-"))
            count = seen[path] = seen.get(path, 0) + 1
        if "down" in modes:
            return self.refuse(500)
        if path.startswith("/token"):
            return self.token(path, False)
        if port == first:
            if "busy" in modes and count <= 2:
                return self.refuse((503, 429)[count - 1], Retry_After="0")
            if "basic" in modes and said != "Basic " + base64.b64encode(login.encode()).decode():
                return self.refuse(401, WWW_Authenticate='Basic realm="here"')
            if "bearer" in modes:
                with lock:
                    left = tokens.get(said[7:], 0)
                    tokens[said[7:]] = left - 1
                if left <= 0:
                    return self.refuse(401, WWW_Authenticate='Bearer realm="http://127.0.0.1:%d/token",service="here"' % first)
        if path == "/v2/":
            return self.answer(200)
        if path.startswith("/v2/team/app/manifests/"):
            name = path.rsplit("/", 1)[1]
            if not name.startswith("sha256:"):
                with open(os.path.join(layout, "index.json")) as file:
                    entries = json.load(file)["manifests"]
                name = entries[0]["digest"] if name == "latest" else "sha256:none"
            return self.file(blob_file(name), "manifest")
        if path.startswith("/v2/team/app/blobs/"):
            if "redirect" in modes and port == first:
                return self.answer(307, Location="http://127.0.0.1:%d%s?sig=x" % (second, path))
            return self.file(blob_file(path.split("?")[0].rsplit("/", 1)[1]), "blob")
        self.refuse(404)

    def file(self, name, kind):
        try:
            with open(name, "rb") as file:
                body = file.read()
        except OSError:
            return self.refuse(404)
        if kind == "manifest":
            return self.answer(200, body)
        if "changed" in modes:
            body = body[:600] + bytes([body[600] ^ 1]) + body[601:] if len(body) > 600 else body
        begin = 0
        ranged = self.headers.get("Range")
        if ranged and "norange" not in modes:
            begin = int(ranged[len("bytes="):-1])
        part = body[begin:]
        if "short" in modes and len(part) > 1000:
            return self.answer(200, part[:1000])
        if "long" in modes:
            return self.answer(200, part + b"x")
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (begin, len(body) - 1, len(body)))
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        cut = {"cut", "norange"} & modes
        with lock:
            step = seen["cut " + name] = seen.get("cut " + name, 0) + 1
        self.wfile.write(part[:1000 * (step if "norange" in modes else 1)] if cut else part)
        self.close_connection = True


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


first, second = serve(), serve()
with open(port_file + ".new", "w") as file:
    file.write(str(first))
os.rename(port_file + ".new", port_file)
threading.Event().wait()
