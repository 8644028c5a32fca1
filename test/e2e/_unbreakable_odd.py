"""More rows of _unbreakable.py, which is `u`: odd circumstances, and scripts that mean harm."""
import base64, glob, os, signal, struct, subprocess, threading, time


def context(u, name, files):
    folder = f"{u.T}/{name}"
    os.makedirs(folder, exist_ok=True)
    for file, content in files.items():
        os.makedirs(os.path.dirname(f"{folder}/".encode() + os.fsencode(file)), exist_ok=True)
        with open(os.fsencode(folder) + b"/" + os.fsencode(file), "wb") as out:
            out.write(content)
            os.fchmod(out.fileno(), 0o755 if file == "ask" else 0o644)
    return name


def says(text):
    return lambda run: [] if any(text in line for line in run.lines) else ["it is not told: " + text]


# A second build of the same name, beside the row's own.
def twin(run):
    run.twin = subprocess.Popen(run.command(), env=run.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, cwd=run.folder)


def twin_too(u):
    def more(run):
        theirs = run.twin.communicate()[0].decode().strip()
        ours = open(run.folder + "/out").read().strip()
        named = (u.ask("GET", f"/images/{run.name}/json")[1] or {}).get("Id")
        for image in {ours, theirs} - {named}:  # it lost its name to the other, as with any builder
            u.ask("DELETE", f"/images/{image}?force=1")
        if run.twin.returncode != 0 or named not in (ours, theirs):
            return [f"the other ended with {run.twin.returncode}; the name is neither's image"]
        return []

    return more


def clock(offset, later=None):
    """Of the program alone; `later`: what it jumps to at the step."""

    def prepare(run):
        library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0]
        run.clock = run.folder + "/clock"
        with open(run.clock, "w") as file:
            file.write(offset)
        run.env.update(LD_PRELOAD=library, FAKETIME_TIMESTAMP_FILE=run.clock, FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1", NO_FAKE_STAT="1",
                       ASAN_OPTIONS=run.env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")

    def jump(run, connection):
        with open(run.clock, "w") as file:
            file.write(later)

    return prepare, jump


def growing(u):
    def prepare(run):
        run.grower = subprocess.Popen(["sh", "-c", 'while echo one more line >>"$1"; do :; done', "-", u.T + "/growing/log"])

    return prepare


def stop_growing(run):
    run.grower.kill()
    run.grower.wait()
    return [] if any("changed while it was read" in line for line in run.lines) else ["the change is not told"]


# A path of 4,000 bytes is made folder by folder: no system call takes it whole below another folder.
def deep(u, name):
    here = os.open(f"{u.T}/{name}", os.O_RDONLY)
    for part in ["d" * 199] * 19:
        os.mkdir(part, dir_fd=here)
        there = os.open(part, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(os.open("f" * 199, os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)


# An agent of the row's own.
def own_agent(u):
    def prepare(run):
        socket = run.env["SSH_AUTH_SOCK"] = run.folder + "/agent"
        run.agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while subprocess.run(["ssh-add", "-q", u.T + "/key"], env=run.env, stderr=subprocess.DEVNULL).returncode:
            time.sleep(0.02)

    return prepare


def agent_goes(run, connection):
    run.agent.kill()
    run.agent.wait()


def agent_hangs(run, connection):
    run.agent.send_signal(signal.SIGSTOP)
    threading.Timer(0.5, lambda: run.process.send_signal(signal.SIGINT)).start()


def end_agent(run):
    run.agent.kill()
    run.agent.wait()
    return []


def string(data):
    return struct.pack(">I", len(data)) + data


def frame(kind, body=b""):
    return string(bytes([kind]) + body)


def forged_binds(u, key):
    """Binds whose signature is good, by a host key of somebody's own; then what a login for the granted user would sign."""
    pem, session = u.T + "/host.pem", os.urandom(32)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", pem], check=True)
    public = subprocess.run(["openssl", "pkey", "-in", pem, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout[-32:]
    with open(u.T + "/session", "wb") as file:
        file.write(session)
    signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", pem, "-rawin", "-in", u.T + "/session"], check=True, capture_output=True).stdout
    host = string(b"ssh-ed25519") + string(public)
    github = base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")

    def bind(shown, forwarding=b"\0"):
        return frame(27, string(b"session-bind@openssh.com") + string(shown) + string(session) + string(string(b"ssh-ed25519") + string(signature)) + forwarding)

    def login(method, more=b""):
        data = string(session) + b"\x32" + string(b"git") + string(b"ssh-connection") + string(method) + b"\1" + string(b"ssh-ed25519") + string(key)
        return frame(13, string(key) + string(data + more) + struct.pack(">I", 0))

    plain, bound = login(b"publickey"), login(b"publickey-hostbound-v00@openssh.com", string(github))
    return {"forged-unbound": plain, "forged-own": bind(host) + plain, "forged-own-bound": bind(host) + bound,
            "forged-claimed": bind(github) + plain, "forged-claimed-bound": bind(github) + bound, "forged-on": bind(host, b"\1") + bind(github) + bound}


def agent_files(u):
    """What `ask` says to the agent socket: `bad-*` may get nothing out of it."""
    key = base64.b64decode(open(u.T + "/key.pub").read().split()[1])
    sign = frame(13, string(key) + string(b"data of another kind") + struct.pack(">I", 0))

    def bind(session, forwarding=b"\0"):
        host = string(b"ssh-ed25519") + string(os.urandom(32))
        signature = string(b"ssh-ed25519") + string(os.urandom(64))
        return frame(27, string(b"session-bind@openssh.com") + string(host) + string(session) + string(signature) + forwarding)

    files = {"list": frame(11), "ask": open(u.T + "/ask", "rb").read(), **forged_binds(u, key)}
    for name, said in {"long": b"\xff\xff\xff\xff" + os.urandom(1000), "empty": struct.pack(">I", 0), "unknown": frame(200),
                       "noise": os.urandom(100000), "half": frame(11)[:-1], "add": frame(17, string(b"ssh-ed25519")),
                       "remove-all": frame(19), "lock": frame(22, string(b"x")), "sign": sign, "bind": bind(b"s" * 32),
                       "bind-sign": bind(b"s" * 32) + sign, "forwarded": bind(b"s" * 32, b"\1") + sign,
                       "binds": b"".join(bind(os.urandom(32)) for _ in range(100)) + sign}.items():
        files["bad-" + name] = said
    return files


def odd(u):
    Row = u.Row
    yield Row("two builds of a name", "at once", (0,), named=None, prepare=twin, more=twin_too(u))
    for offset, step in (("-5y", "five years behind"), ("+5y", "five years ahead")):
        yield Row("clock", step, (0,), named=True, prepare=clock(offset)[0])
    for later in ("+3y", "-3y"):
        prepare, jump = clock("+0", later)
        yield Row("clock", f"jumps {later} in the script", (0,), "", ("line", "started"), jump, named=True, prepare=prepare,
                  flags=("--timeout", "30s"), script="echo started; sleep 0.3")
    context(u, "future", {"made-tomorrow": b"x\n"})
    os.utime(u.T + "/future/made-tomorrow", (4e9, 4e9))
    yield Row("clock", "a file of the future", (0,), named=True, context="future", script="cp made-tomorrow /srv-file")
    context(u, "growing", {"log": b"x\n" * 10000000})
    yield Row("context", "changes while it is read", (3,), "changed while it was read", context="growing", prepare=growing(u),
              more=stop_growing)
    context(u, "names", {"new\nline": b"1", b"not-\xff\xfe-utf8": b"2", "-f": b"3", "\x1b[31mred": b"4", "sp ace": b"5"})
    deep(u, "names")
    yield Row("context", "odd and long names", (0,), named=True, context="names",
              script="mkdir /srv; cp -r . /srv/; test $(find /srv -type f -print0 | tr -dc '\\0' | wc -c) = 6")
    # Each tenth has something in it: the engine's disk is small.
    context(u, "many", {f"{i % 300}/{i}": b"x\n" if i % 10 == 0 else b"" for i in range(60000)})
    yield Row("context", "60,000 files", (0,), named=True, context="many", script="test $(find . -type f | wc -l) = 60000; cp 0/0 /srv-file")
    ignores = "".join(f"/folder{n}/**/*.o{n}\n!/folder{n}/keep\n" for n in range(5000))
    context(u, "ignores", {".dockerignore": ignores.encode() + b"left-out\n", "left-out": b"x", "data": b"x"})
    yield Row("context", ".dockerignore, 10,000 lines", (0,), named=True, context="ignores", script="test -f data; test ! -e left-out")
    yield Row("memory limit", "relay and context in", (3,), "^(engine|the builder)", flags=("--memory", "6m"), context="many")
    yield Row("memory limit", "script", (3, 4), "exit status 137|relay|out of memory", flags=("--memory", "32m"),
              script="a=$(head -c 200000000 /dev/zero | tr '\\0' x); echo $a | wc -c")

    ssh = ("--ssh", "git@github.com")
    context(u, "agent", agent_files(u))
    yield Row("agent gone", "before it is lent", (3,), "(?i)agent", flags=ssh,
              prepare=lambda run: run.env.update(SSH_AUTH_SOCK=run.folder + "/none"))
    yield Row("agent gone", "script", (4,), "the script failed: exit status 9", ("line", "started"), agent_goes, flags=ssh, context="agent",
              prepare=own_agent(u), script="echo started; sleep 0.3; test \"$(./ask list)\" = 'answer 12' || exit 9")
    yield Row("agent hangs", "script", (130,), "^interrupted$", ("line", "started"), agent_hangs, flags=ssh, context="agent",
              prepare=own_agent(u), more=end_agent, script="echo started; sleep 0.2; ./ask list; sleep 60")


def hostile(u):
    Row = u.Row
    ssh = ("--ssh", "git@github.com")
    yield Row("hostile script", "speaks garbage to the agent", (0,), named=True, flags=ssh, context="agent", script="""
test "$(./ask list)" = 'answer 12'
for file in bad-*; do
  case $(./ask $file 150) in 'answer 5'* | closed) ;; *) echo "got through: $file"; exit 9 ;; esac
done
test "$(./ask list)" = 'answer 12'""", more=lambda run: ["something was signed"] if any("signed for" in line for line in run.lines) else [])
    yield Row("hostile script", "forges session-binds", (0,), named=True, flags=ssh, context="agent", script="""
test "$(ls forged-* | wc -l)" = 6
for file in forged-*; do
  answers=$(./ask $file 150)
  case $answers in *\\ 14*) echo "signed: $file: $answers"; exit 9 ;; answer*) ;; *) echo "$file: $answers"; exit 8 ;; esac
done
test "$(./ask list)" = 'answer 12'""", more=lambda run: ["something was signed"] if any("signed for" in line for line in run.lines) else [])
    yield Row("hostile script", "fills the disk", (3,), "(?i)no space left", alone=True, script="cat /dev/zero >/srv-fill || true")
    yield Row("hostile script", "plants links and devices", (0,), named=True, script="""
mkdir /srv; cd /srv; mknod zero c 1 5; mknod disk b 8 0; mkfifo pipe; ln -s /etc/shadow a; ln -s /proc/self/mem b; ln -s b/../../../.. c
ln -s loop loop; ln /etc/passwd hard; ln -s /dev/imgbuild/secrets/s secret""")
    yield Row("hostile script", "kills the relay", (3,), "relay ended", script="kill -9 $PPID; sleep 60")
    yield Row("hostile script", "kills all it can", (3,), "relay ended|builder was stopped", script="kill -9 -1; sleep 60")
    yield Row("hostile script", "stops the relay", (3,), "timeout", script="kill -STOP $PPID; sleep 60", flags=("--timeout", "1s"))
    yield Row("hostile script", "writes as the relay", (3,), "relay was disturbed", script="head -c 100000 /dev/urandom >/proc/$PPID/fd/1; sleep 60")
    yield Row("hostile script", "removes what is lent", (0,), named=True, script="rm -rf /dev/imgbuild/* 2>/dev/null || true; rm -rf /bin")
    for step, flood in (("floods its output", "head -c 8000000 /dev/zero | tr '\\0' y | fold -w 99"),
                        ("floods it without a line", "head -c 8000000 /dev/zero | tr '\\0' y")):
        yield Row("hostile script", step, (0,), named=True, script=flood,
                  more=lambda run: [f"it took {run.memory} MiB"] if run.memory > 700 else [])
    yield Row("hostile script", "waits to write more", (0,), named=True, more=says("left running, and it was ended"), script="""
(setsid sh -c 'trap "" TERM HUP; while :; do date >>/srv-late; done' >/dev/null 2>&1 &)
sleep 0.1""")
