"""A road to an engine that breaks where a test says. Bytes pass as they are; of what goes to the engine the heads of
requests are read, so that something can be done at a certain one, before the engine has it or before its answer is
passed on."""
import os, re, socket, threading, urllib.parse


class Connection:
    def __init__(self, road, client):
        self.road, self.client = road, client
        self.engine = socket.create_connection(road.engine)
        self.sent = 0
        self.hold = threading.Event()  # set: answers pass
        self.hold.set()
        self.answered = threading.Event()
        threading.Thread(target=self.down, daemon=True).start()
        threading.Thread(target=self.up, daemon=True).start()

    def cut(self):
        for end in (self.client, self.engine):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def down(self):
        try:
            while piece := self.engine.recv(1 << 16):
                self.answered.set()
                self.hold.wait()
                self.client.sendall(piece)
            self.client.shutdown(socket.SHUT_WR)
        except OSError:
            self.cut()

    def more(self):
        piece = self.client.recv(1 << 16)
        if not piece:
            raise EOFError
        return piece

    def up(self):
        try:
            held = b""
            while True:
                while b"\r\n\r\n" not in held:
                    held += self.more()
                end = held.index(b"\r\n\r\n") + 4
                head = held[:end].decode("latin-1")
                method, path = head.split(" ", 2)[:2]
                request = method + " " + re.sub(r"^/v1\.\d+", "", path)
                answer = self.road.seen(request)
                if answer.before:
                    answer.act(self)
                else:
                    self.hold.clear()
                    self.answered.clear()
                length = re.search(r"(?im)^content-length: *(\d+)", head)
                upgrade = re.search(r"(?im)^upgrade:", head)
                size = int(length[1]) if length else 0
                chunked = re.search(r"(?im)^transfer-encoding: *chunked", head)
                while len(held) < end + size:
                    held += self.more()
                self.road.body(request, held[end:end + size])
                self.engine.sendall(held[:end + size])
                held = held[end + size:]
                if not answer.before:
                    # The engine has done it once it begins to answer: then nobody hears of that.
                    self.answered.wait()
                    answer.act(self)
                    self.hold.set()
                while upgrade or chunked:
                    if held:
                        self.sent += len(held)
                        self.road.passed(self, request)
                        self.engine.sendall(held)
                    held = self.more()
        except (EOFError, OSError):
            try:
                self.engine.shutdown(socket.SHUT_WR)
            except OSError:
                pass


class Nothing:
    before = True

    def act(self, connection):
        pass


class Once(Nothing):
    def __init__(self, pattern, action, before):
        self.pattern, self.action, self.before, self.done = re.compile(pattern), action, before, False

    def act(self, connection):
        self.done = True
        self.action(connection)


class Road:
    """Listens at `path` for as long as the process lives."""

    def __init__(self, path, engine):
        self.engine, self.path, self.requests, self.builds = engine, path, [], set()
        self.at = None  # an Once
        self.open = []
        self.bytes = 0  # of a hijacked connection that go before it; 0: it is for a request
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                self.open.append(Connection(self, client))
            except OSError:  # the engine is gone
                client.close()

    def cut(self):
        for connection in self.open:
            connection.cut()

    def seen(self, request):
        self.requests.append(request)
        self.body(request, urllib.parse.unquote_plus(request).encode())  # a Dockerfile's labels stand in the query
        at = self.at
        return at if at and not at.done and not self.bytes and at.pattern.match(request) else Nothing()

    def passed(self, connection, request):
        at = self.at
        if at and not at.done and self.bytes and at.pattern.match(request) and connection.sent >= self.bytes:
            at.act(connection)

    def body(self, request, body):
        self.builds.update(match.decode() for match in re.findall(rb'"imgbuild.build": ?"([0-9a-f]{16})"', body))
