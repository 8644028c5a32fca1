"""Rows of _unbreakable.py, which is `u`: the same of builds by Dockerfile, which the engine's own builder does."""

COPY = "COPY data /srv-data\n"
QUIET = COPY + "RUN --mount=type=secret,id=s test -s /run/secrets/s"
LATER = QUIET + " && printf 'star%s\\n' ted && sleep 60"


def dockerfiles(u):
    Row = u.Row
    steps = [("session", ("request", "POST /session"), QUIET),
             ("context in", ("request", r"POST /build\?version=2&buildid=upload"), QUIET),
             ("build", ("request", r"POST /build\?rm=1"), QUIET),
             ("RUN", ("line", "started"), LATER),
             ("load the config", ("request", "POST /images/load"), QUIET),
             ("audit", ("request", "GET /images/sha256:[^/]+/json"), QUIET)]
    name_it = ("name it", ("request", "POST /images/.*/tag"), QUIET)
    for number, name, status, why in ((u.INT, "SIGINT", 130, "^interrupted$"), (u.TERM, "SIGTERM", 143, "^terminated$"),
                                      (u.KILL, "SIGKILL", -9, "")):
        for step, at, text in steps:
            yield Row(name, "Dockerfile: " + step, (status,), why, at, u.send(number), dockerfile=text, gc=number == u.KILL)
        yield Row(name, "Dockerfile: " + name_it[0], (0, status), "", name_it[1], u.send(number), dockerfile=QUIET,
                  gc=number == u.KILL, named=None)
    for step, at, text in [*steps, name_it]:
        yield Row("socket closed", "Dockerfile: " + step, (3,), "^(engine|session)", at, u.cut, dockerfile=text)
    step, at, text = steps[3]
    yield Row("engine killed", "Dockerfile: " + step, (3,), "engine", at, u.kill_engine, dockerfile=text, gc=True, alone=True, after=u.start_engine)
    yield Row("engine hangs", "Dockerfile: " + step, (130,), "^interrupted$", at, u.hang_engine, dockerfile=text, gc=True, alone=True,
              after=u.wake_engine)
    for step, at, text in (steps[1], steps[4]):
        yield Row("engine's disk full", "Dockerfile: " + step, (3, 4), "(?i)no space left", at, u.fill_engine, dockerfile=text, alone=True,
                  after=u.empty_engine)
    yield Row("hostile RUN", "fills the disk", (3, 4), "(?i)no space left|exit status", dockerfile="RUN cat /dev/zero >/srv-fill", alone=True)
