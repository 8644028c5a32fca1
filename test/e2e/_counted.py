"""A road to an engine that notes what is asked: python3 _counted.py SOCKET ENGINE_SOCKET LOG. Bytes pass as they are; the
first line of each request is written to LOG before the engine has it."""
import re, socket, sys, threading

here, engine, log = sys.argv[1:]


def pass_on(source, target, seen=None):
    try:
        while piece := source.recv(1 << 16):
            if seen:
                seen(piece)
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def note(piece):
    with open(log, "ab") as file:
        file.writelines(line + b"\n" for line in re.findall(rb"(?m)^([A-Z]+ /\S+) HTTP/1\.1\r$", piece))


listener = socket.socket(socket.AF_UNIX)
listener.bind(here)
listener.listen(16)
while True:
    client, _ = listener.accept()
    server = socket.socket(socket.AF_UNIX)
    server.connect(engine)
    threading.Thread(target=pass_on, args=(client, server, note), daemon=True).start()
    threading.Thread(target=pass_on, args=(server, client), daemon=True).start()
