"""Builds that are broken off at a certain step, odd ones and hostile ones; after each, what must hold: no name that was
not cleared, no secret on a disk, nothing left in the engine that `imgbuild gc` misses, one line that says why, the
right exit status. Prints the table. Started by unbreakable.sh, which says in the environment where things are."""
import concurrent.futures, http.client, json, os, re, signal, subprocess, sys, threading, time, urllib.parse
from _breaker import Once, Road
from _unbreakable_dockerfile import dockerfiles
from _unbreakable_odd import hostile, odd

T, IMGBUILD, HERE = os.environ["T"], os.environ["IMGBUILD"], os.path.dirname(os.path.abspath(__file__))
PORT, ENGINE = int(os.environ["HIDDEN_PORT"]), os.environ["HIDDEN_DIR"]
BASE = "imgbuild-test/busybox:1"
SECRET = "v" + os.urandom(12).hex() + "W"
QUIET = "echo started; sleep 0.1; cp data /srv-data"
LATER = "echo started; sleep 60"
INT, TERM, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGKILL


def ask(method, path):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    return answer.status, json.loads(body) if body[:1] in b"[{" and body else None


def filtered(path, **filters):
    return ask("GET", path + "filters=" + urllib.parse.quote(json.dumps(filters)))[1] or []


def pid_in(file):
    with open(f"{ENGINE}/{file}") as text:
        return int(text.read())


# What happens at the step. `run` is the build, `connection` that which the step is on (None: it is at a line).
def send(number):
    return lambda run, connection: run.process.send_signal(number)


def cut(run, connection):
    (connection or run.road).cut()


def kill_engine(run, connection):
    for file in ("dockerd.pid", "exec/containerd/containerd.pid"):
        os.kill(pid_in(file), KILL)


def hang_engine(run, connection):
    os.kill(pid_in("dockerd.pid"), signal.SIGSTOP)
    for wait in (0.4, 0.8):  # a person who has had enough
        threading.Timer(wait, lambda: run.process.poll() is None and run.process.send_signal(INT)).start()


def start_engine():
    if subprocess.run(["bash", "-c", '. "$1/../_common.sh" && . "$1/_hidden.sh" && engine_hidden_up', "-", HERE]).returncode != 0:
        sys.exit("the engine does not start again")


def wake_engine():
    os.kill(pid_in("dockerd.pid"), signal.SIGCONT)


def fill(folder):
    try:
        with open(folder + "/balloon", "wb", buffering=0) as balloon:
            while balloon.write(b"\0" * 65536):
                pass
    except OSError:
        pass


def fill_engine(run, connection):
    fill(ENGINE)


def loss_is_told(run):
    return [] if any(re.search("lines of the log were lost .*No space left", line) for line in run.lines) else ["the loss is not told"]


def empty_engine():
    os.remove(ENGINE + "/balloon")


def full_folder(variable, file=""):
    """The folder of that variable lies on a disk that is full; or the file in it that the variable names."""

    def prepare(run):
        folder = run.folder + "/full"
        os.mkdir(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
        if variable != "TMPDIR":
            fill(folder)
        run.env[variable] = folder + file
        run.mounted = folder

    return prepare


class Row:
    def __init__(self, cause, step, status, why="", at=None, act=None, before=True, script=QUIET, flags=(), gc=False,
                 named=False, alone=False, after=None, prepare=None, context="app", more=None, dockerfile=""):
        self.__dict__.update(locals())


class Run:
    def __init__(self, row, number):
        self.row, self.folder, self.name = row, f"{T}/r{number}", f"e2e/unbreakable:r{number}"
        self.env = dict(os.environ, SSH_AUTH_SOCK=T + "/agent.sock")
        self.mounted = None
        for variable, name in (("HOME", "home"), ("TMPDIR", "tmp"), ("XDG_STATE_HOME", "state"),
                               ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")):
            self.env[variable] = f"{self.folder}/{name}"
            os.makedirs(self.env[variable])
        self.road = Road(self.folder + "/s", ("127.0.0.1", PORT))
        self.lines, self.process, self.acted = [], None, threading.Event()
        with open(self.folder + "/script.sh", "w") as file:
            # No two rows make the same image: one would take back what the other is about to name.
            file.write(f"echo {number} >/row\n{row.script}\n")
        with open(self.folder + "/Dockerfile", "w") as file:
            file.write(f"FROM {BASE}\nENV ROW={number}\n{row.dockerfile}\n")
        if row.prepare:
            row.prepare(self)
        if row.at and row.at[0] == "line":  # a busy machine may read it late: the build waits for us before it commits
            self.road.at = Once("POST /commit", lambda connection: self.acted.wait(60), True)
        elif row.at:
            self.road.at = Once(row.at[-1], self.act, row.before)
            self.road.bytes = row.at[1] if row.at[0] == "bytes" else 0

    def act(self, connection=None):
        self.row.act(self, connection)
        self.acted.set()

    def program(self, *words, **options):
        return [IMGBUILD, words[0], "--engine", "unix://" + self.road.path, *words[1:]]

    def command(self):
        row = self.row
        how = ["-f", self.folder + "/Dockerfile"] if row.dockerfile else ["--from", BASE, "--run", self.folder + "/script.sh"]
        words = ["build", f"{T}/{row.context}", *how, "-t", self.name, "--network", "host", "--secret", f"id=s,src={T}/secret", *row.flags]
        return [*self.env.pop("BEFORE", "").split(), *self.program(*words)]

    def build(self):
        row, began = self.row, time.monotonic()
        self.process = subprocess.Popen(self.command(), env=self.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        stdout=open(self.folder + "/out", "wb"), cwd=self.folder)
        watch = threading.Timer(120, self.process.kill)
        watch.start()
        for line in self.process.stderr:
            line = line.decode("utf-8", "replace").rstrip("\n")
            if len(self.lines) < 1000 or line.startswith("imgbuild: "):
                self.lines.append(line)
            if row.at and row.at[0] == "line" and not self.acted.is_set() and row.at[1] in line:
                self.act()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.status = self.process.returncode = os.waitstatus_to_exitcode(status)
        self.memory = usage.ru_maxrss >> 10  # MiB
        watch.cancel()
        self.took = time.monotonic() - began
        if row.after:
            row.after()
        if self.mounted:
            subprocess.run(["umount", self.mounted], check=True)

    def verify(self):
        """What does not hold."""
        row, wrong = self.row, []
        if row.at and not self.acted.is_set():
            wrong.append("it never came to that step")
        if self.status not in row.status:
            wrong.append(f"exit status {self.status}, not {' or '.join(map(str, row.status))}")
        if row.why and not re.search(row.why, self.reason()):
            wrong.append(f"the reason is not told: {self.reason()}")
        if SECRET in "\n".join(self.lines):
            wrong.append("the secret is printed")
        if any(re.search("internal error|AddressSanitizer|runtime error", line) for line in self.lines):
            wrong.append("a fault of its own")
        named = ask("GET", f"/images/{self.name}/json")[0] == 200
        if row.named is not None and named != row.named:
            wrong.append("it has its name" if named else "it has no name")
        # An engine that was killed takes a moment to see that its containers ended: till then they count as live.
        until = time.monotonic() + 60
        while True:
            trouble = self.collect() if row.gc else ""
            left = self.left()
            if not (left or trouble) or time.monotonic() > until:
                break
            time.sleep(0.1)
        if trouble:
            wrong.append("gc: " + trouble)
        if left:
            wrong.append("left behind: " + ", ".join(left))
        found = subprocess.run(["grep", "-rlF", "--", SECRET, self.folder, ENGINE], capture_output=True, text=True)
        if found.stdout:
            wrong.append("the secret is in " + found.stdout.split("\n")[0])
        if row.more:
            wrong += row.more(self)
        if named:
            ask("DELETE", f"/images/{self.name}?force=1")
        return wrong

    def collect(self):
        # A builder that was not started counts as being made for a minute; those of other rows are.
        ahead = ["faketime", "-f", "+90s"] if self.row.alone else []
        env = dict(self.env, ASAN_OPTIONS="detect_leaks=0:verify_asan_link_order=0")
        gc = subprocess.run([*ahead, *self.program("gc")], env=env, capture_output=True, text=True)
        return gc.stderr.strip() if gc.returncode else ""

    def reason(self):
        told = [line for line in self.lines if line.startswith("imgbuild: ")]
        told = [line[10:] for line in told if not line.startswith(("imgbuild: hint: ", "imgbuild: warning: left behind"))]
        return told[-1] if told else "nothing"

    def left(self):
        journal = self.env["XDG_STATE_HOME"] + "/imgbuild/builds"
        left = os.listdir(journal) if os.path.isdir(journal) else []
        for build in self.road.builds:
            label = ["imgbuild.build=" + build]
            left += ["container " + one["Id"][:12] for one in filtered("/containers/json?all=1&", label=label)]
            left += ["image " + one["Id"][:19] for one in filtered("/images/json?all=1&", label=label)]
        return left + ["in TMPDIR: " + name for name in os.listdir(self.env["TMPDIR"])]

    def happened(self):
        if self.status < 0:
            return "it died; gc"
        return f"{self.status}: {self.reason()}".replace(T, "")


def rows():
    # Each step, and how a build is caught at it. Of what it left when it was killed, gc takes care.
    steps = [("stage", ("line", "imgbuild: staging"), LATER),
             ("create the builder", ("request", "POST /containers/create"), LATER),
             ("start it", ("request", "POST /containers/[^/]+/start"), LATER),
             ("relay and context in", ("bytes", 1500000, "POST /exec/"), LATER),
             ("script", ("line", "started"), LATER),
             ("sweep", ("line", "last words"), "for i in $(seq 200); do sleep 99 & done; echo last words"),
             ("commit", ("request", "POST /commit"), QUIET),
             ("load the config", ("request", "POST /images/load"), QUIET),
             ("audit", ("request", "GET /images/sha256:[^/]+/json"), QUIET)]
    for number, name, status, why in ((INT, "SIGINT", 130, "^interrupted$"), (TERM, "SIGTERM", 143, "^terminated$"),
                                      (KILL, "SIGKILL", -9, "")):
        for step, at, script in steps:
            yield Row(name, step, (status,), why, at, send(number), script=script, gc=number == KILL,
                      alone=number == KILL and step in ("create the builder", "start it"))
        if number != KILL:
            yield Row(name, "answer under way", (status,), why, ("request", "POST /commit"), send(number), False)
        # From here on it was cleared: a name is no leak, and none is half there.
        yield Row(name, "name it", (0, status), "", ("request", "POST /images/.*/tag"), send(number), gc=number == KILL, named=None)
        yield Row(name, "clean up", (0, status), "", ("request", "DELETE /containers/"), send(number), gc=number == KILL, named=True)

    requests = [(step, at, script) for step, at, script in steps if at[0] != "line"]
    requests += [("find the base", ("request", "GET /images/[^/]+/[^/]+/json"), QUIET),
                 ("name it", ("request", "POST /images/.*/tag"), QUIET)]
    for step, at, script in requests:
        yield Row("socket closed", step, (3,), "^(engine|the builder)", at, cut, script=script)
        if at[0] == "request":
            lost = step == "name it"
            yield Row("answer lost", step, (0,) if lost else (3,), "" if lost else "^engine", at, cut, False, script=script, named=lost)
    yield Row("socket closed", "clean up", (0,), "", ("request", "DELETE /containers/"), cut, named=True, gc=True)
    yield Row("socket closed", "script", (3,), "^(engine|the builder)", steps[4][1], cut, script=LATER)

    for step, at, script in [steps[1], steps[2], steps[3], steps[4], steps[5], steps[6], steps[7], steps[8], requests[-1]]:
        yield Row("engine killed", step, (3,), "engine|the builder", at, kill_engine, script=script, gc=True, alone=True, after=start_engine)
        yield Row("engine hangs", step, (130,), "^interrupted$", at, hang_engine, script=script, gc=True, alone=True, after=wake_engine,
                  named=None if step in ("audit", "name it") else False)

    for step, at, script in [steps[1], steps[3], steps[6], steps[7]]:
        yield Row("engine's disk full", step, (3,), "(?i)no space left", at, fill_engine, script=script, alone=True, after=empty_engine)
    yield Row("disk full", "stage", (3,), "(?i)no space left", prepare=full_folder("TMPDIR"))
    yield Row("disk full", "journal", (3,), "(?i)no space left", prepare=full_folder("XDG_STATE_HOME"))
    yield Row("disk full", "cache", (0,), "", prepare=full_folder("XDG_CACHE_HOME"), named=True)
    yield Row("disk full", "log", (0,), "", prepare=full_folder("IMGBUILD_LOGS"), named=True, more=loss_is_told)
    # It was cleared, and has its name; that the report of it is missing is an error all the same.
    yield Row("disk full", "report", (3,), "(?i)no space left", prepare=full_folder("IMGBUILD_REPORTS", "/report.json"), named=None)
    yield from dockerfiles(sys.modules[__name__])
    yield from odd(sys.modules[__name__])
    yield from hostile(sys.modules[__name__])


def main():
    with open(T + "/secret", "w") as file:
        file.write(SECRET)
    before = ask("GET", "/volumes")[1]["Volumes"] or []
    failed, number = 0, 0

    def one(pair):
        number, row = pair
        run = Run(row, number)
        run.build()
        return run, run.verify()

    only = re.compile(os.environ.get("ROWS", ""))
    numbered = [pair for pair in enumerate(rows()) if only.search(pair[1].cause + ": " + pair[1].step)]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        results = list(pool.map(one, [pair for pair in numbered if not pair[1].alone]))
    results += [one(pair) for pair in numbered if pair[1].alone]
    for run, wrong in results:
        print(f"{run.row.cause:<22} {run.row.step:<22} {run.happened()[:96]:<96} {'ok' if not wrong else 'WRONG'} {run.took:5.1f}")
        for what in wrong:
            print("    " + what)
        if wrong:
            failed += 1
            print("".join(f"    | {line}\n" for line in run.lines[-12:]), end="")
    volumes = [one["Name"] for one in ask("GET", "/volumes")[1]["Volumes"] or [] if one not in before]
    rest = [one["Id"] for one in filtered("/images/json?", dangling=["true"])]
    if volumes or rest:
        failed += 1
        print("left behind by one of them:", *volumes, *rest)
    print(f"{len(results)} rows, {failed} wrong")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
