"""A random model of keys beside the real server: clients, each a process with keys of its own, do everything that the
contract of one key knows, and know what must come back. The server is restarted under them, cleanly and by SIGKILL, and
merges all the time; a request whose answer does not come leaves two states that may be, and one of them must be there.
The wall clock of the server and of the model is stepped to and fro between two operations (system_clock.c).

    system_model.py RACKKVD FOLDER N_CLIENTS N_OPERATIONS N_RESTARTS SEED CLOCK

CLOCK is the library for LD_PRELOAD; empty: the clock stays as it is."""

import http.client
import mmap
import os
import random
import signal
import socket
import subprocess
import sys
import time

RACKKVD, FOLDER = sys.argv[1], sys.argv[2]
N_CLIENTS, N_OPERATIONS, N_RESTARTS, SEED = (int(word) for word in sys.argv[3:7])
CLOCK = sys.argv[7]
N_KEYS = 24  # of each client
CLOSE_S = 0.15  # nobody asks for a key that expires so soon: it is waited for
DEADLINE_S = 60
STEPS_PER_RESTART = 3  # of the clock
ENOUGH = f"{FOLDER}/enough"  # is there when the server was restarted as often as it should be
SETTINGS = (
    "server.workers=2 limits.max_value=1MiB ring.size=8MiB log.sync=interval log.sync_interval=20ms log.file_size=2MiB "
    "log.reserve=512KiB merge.check_interval=100ms merge.jitter=0 merge.threshold.dead_bytes=1 "
    "merge.trigger.dead_bytes=1 merge.min_free=0"
).split()


STEPS_S = (0.2, 1.0, 9.0, 60.0, 3600.0, 7300.0)  # by less and by more than what the server doubts, and than all expiries


class Different(Exception):
    pass


class Clock:
    """The wall clock of the server and of the clients, each of whom is a process: in memory that they share, the
    nanoseconds that it is ahead, how often it was stepped, whether it is about to be, what it was before the last steps,
    and for each client whether it is in the middle of an operation. None is while it is stepped, so each operation has
    one clock."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.truncate(mmap.PAGESIZE)
        self.path = path
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), mmap.PAGESIZE)
        self.words = memoryview(self.map).cast("q")
        self.chance = random.Random(SEED)

    AHEAD, N_STEPS, STEPPING, BEFORE, BUSY = 0, 1, 2, 3, 67  # words; BEFORE for each of 64 steps, BUSY for each client

    def now(self):
        return time.time() + self.words[Clock.AHEAD] / 1e9

    def n_steps(self):
        return self.words[Clock.N_STEPS]

    def latest_since(self, n_steps):
        """The latest that it was before one of the steps since there were so many (64 at most)."""
        return max(self.words[Clock.BEFORE + n % 64] / 1e9 for n in range(n_steps, self.n_steps()))

    def begin(self, client):
        deadline = time.monotonic() + DEADLINE_S
        self.words[Clock.BUSY + client] = 1
        while self.words[Clock.STEPPING]:
            self.words[Clock.BUSY + client] = 0
            if time.monotonic() > deadline:
                raise Different("the clock is never stepped")
            time.sleep(0.001)
            self.words[Clock.BUSY + client] = 1

    def end(self, client):
        self.words[Clock.BUSY + client] = 0

    def step(self, n_clients):
        """Ahead or back by one of the steps, never further than by the sum of them."""
        deadline = time.monotonic() + DEADLINE_S
        self.words[Clock.STEPPING] = 1
        while any(self.words[Clock.BUSY + client] for client in range(n_clients)):
            if time.monotonic() > deadline:
                sys.exit("a client is never between two operations")
            time.sleep(0.0002)
        self.words[Clock.BEFORE + self.n_steps() % 64] = int(self.now() * 1e9)
        by = int(self.chance.choice(STEPS_S) * 1e9)
        back = self.words[Clock.AHEAD] > 0 if self.chance.randrange(4) else self.words[Clock.AHEAD] <= 0
        self.words[Clock.AHEAD] += -by if back else by
        self.words[Clock.N_STEPS] += 1
        self.words[Clock.STEPPING] = 0


clock = Clock(f"{FOLDER}/clock")


class State:
    """What a key is; value None: absent. It expires between two times: when it was asked for, and when that was answered."""

    def __init__(self, value=None, kind=None, meta=None, expires=None, etag=None):
        self.value, self.kind, self.meta, self.expires, self.etag = value, kind, meta, expires, etag

    def but(self, **changes):
        return State(**{**self.__dict__, **changes})


ABSENT = State()


class Client:
    def __init__(self, number, port):
        self.number, self.port = number, port
        self.chance = random.Random(SEED * 1000 + number)
        self.states = {f"m{number}/{i}": ABSENT for i in range(N_KEYS)}
        self.expiries = {}  # of keys that were given one: from when on, and until when, it may have come
        self.n_steps = 0  # of the clock, at the last operation
        self.connection = None
        self.n_lost = 0

    def ask(self, method, target, body=None, headers=None):
        """The answer, or None when the connection broke under it."""
        deadline = time.monotonic() + DEADLINE_S
        while self.connection is None:
            try:
                self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)
            except OSError:
                if time.monotonic() > deadline:
                    raise Different("nobody listens")
                time.sleep(0.005)
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        try:
            self.connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b""))
            answer = http.client.HTTPResponse(self.connection, method=method)
            answer.begin()
            answer.content = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return None
        if answer.getheader("Connection") == "close":
            self.connection.close()
            self.connection = None
        return answer

    def read_now(self, key):
        """The answer to a GET, also if the server has to come back for it."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            answer = self.ask("GET", "/v1/kv/" + key)
            if answer is not None and answer.status != 503:
                return answer
            if time.monotonic() > deadline:
                raise Different(f"{key} could not be read for {DEADLINE_S} s")
            time.sleep(0.005)  # nothing tells a client when a server is back

    def state_now(self, key):
        """The key's state; one that is about to expire is waited for."""
        state = self.states[key]
        if state.expires is not None and state.expires[0] - clock.now() < CLOSE_S:
            time.sleep(max(0.0, state.expires[1] + 0.01 - clock.now()))
            state = self.states[key] = ABSENT
        return state

    def delete_now(self, key):
        """Whatever it is, also if the server has to come back for it."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            answer = self.ask("DELETE", "/v1/kv/" + key)
            if answer is not None and answer.status in (204, 404):
                break
            if time.monotonic() > deadline:
                raise Different(f"{key} could not be deleted for {DEADLINE_S} s")
        self.states[key] = ABSENT

    def delete_revived(self, latest):
        """The clock was stepped back from there: what had expired may be there again, if it was not collected meanwhile.
        The contract leaves that open, so these keys are deleted, and it does not matter what is answered."""
        now = clock.now()
        for key in [key for key, (first, last) in self.expiries.items() if first <= latest and last > now]:
            self.delete_now(key)
            del self.expiries[key]

    def heed_clock(self):
        """At the beginning of each operation."""
        if self.n_steps != clock.n_steps():
            latest, self.n_steps = clock.latest_since(self.n_steps), clock.n_steps()
            if clock.now() < latest:
                self.delete_revived(latest)

    def want(self, what, got, expected):
        if got != expected:
            raise Different(f"client {self.number}: {what}: {got!r}, not {expected!r}")

    # ---- reads ----

    def check_read(self, key, state, answer):
        if state.value is None:
            self.want(f"status of {key}", answer.status, 404)
            return
        self.want(f"status of {key}", answer.status, 200)
        self.want(f"value of {key}", answer.content, state.value)
        self.want(f"type of {key}", answer.getheader("Content-Type"), state.kind or "application/octet-stream")
        self.want(f"metadata of {key}", answer.getheader("RackKV-Meta-Note"), state.meta)
        self.want(f"expiry of {key}", answer.getheader("RackKV-Expires") is not None, state.expires is not None)
        if state.etag is not None:
            self.want(f"ETag of {key}", answer.getheader("ETag"), state.etag)
        state.etag = answer.getheader("ETag")

    def matches(self, key, state, answer):
        try:
            self.check_read(key, state, answer)
        except Different:
            return False
        return True

    def settle(self, key, candidates):
        """After an answer that did not come: the key must be one of the candidates."""
        self.n_lost += 1
        before = candidates[0].expires
        if before is not None and before[0] <= clock.now() + 0.01:
            self.delete_now(key)  # it may have been gone already when the request was executed
            return
        answer = self.read_now(key)
        now = clock.now()
        for state in candidates:
            expired = state.expires is not None and state.expires[0] <= now + 0.01
            if self.matches(key, ABSENT if expired and answer.status == 404 else state, answer):
                self.states[key] = ABSENT if expired and answer.status == 404 else state
                return
        raise Different(f"client {self.number}: {key} is none of what it can be: {answer.status} {answer.content[:60]!r}")

    def get(self, key, state):
        headers, method = {}, "GET"
        dice = self.chance.randrange(6)
        if dice == 0 and state.etag is not None:
            headers["If-None-Match"] = state.etag
        elif dice == 1:
            method = "HEAD"
        elif dice == 2 and state.value:
            first = self.chance.randrange(len(state.value))
            last = first + self.chance.randrange(2000)
            headers["Range"] = f"bytes={first}-{last}"
        answer = self.ask(method, "/v1/kv/" + key, headers=headers)
        if answer is None or answer.status == 503:
            return
        if state.value is None:
            self.want(f"{method} of {key}", answer.status, 404)
        elif "If-None-Match" in headers:
            self.want(f"conditional GET of {key}", (answer.status, answer.content), (304, b""))
        elif "Range" in headers:
            self.want(f"range of {key}", (answer.status, answer.content), (206, state.value[first : last + 1]))
        elif method == "HEAD":
            self.want(f"HEAD of {key}", (answer.status, int(answer.getheader("Content-Length"))), (200, len(state.value)))
        else:
            self.check_read(key, state, answer)

    # ---- writes ----

    def condition(self, state, makes):
        """A condition: its header, and whether it holds."""
        dice = self.chance.randrange(8)
        if dice == 0 and state.etag is not None:
            return {"If-Match": state.etag}, True
        if dice == 1:
            return {"If-Match": '"18446744073709551615"'}, False
        if dice == 2 and makes:
            return {"If-None-Match": "*"}, state.value is None
        if dice == 3:
            return {"If-Match": "*"}, state.value is not None
        return {}, True

    def expiry(self):
        """A time to live, as a header, and when that is over."""
        dice = self.chance.randrange(8)
        if dice == 0:
            ttl = self.chance.choice((300, 700, 1500))
            return {"RackKV-TTL": f"{ttl}ms"}, ttl / 1000
        if dice == 1:
            return {"RackKV-TTL": "1h"}, 3600.0
        return {}, None

    def note_expiry(self, key, state):
        first, last = self.expiries.get(key, state.expires)
        self.expiries[key] = (min(first, state.expires[0]), max(last, state.expires[1]))

    def write(self, key, state, after, method, target, body, headers, holds, absent_status, statuses):
        """One write; `after` is the state that it makes, absent_status what it is answered where there is no key."""
        begin = clock.now()
        answer = self.ask(method, target, body, headers)
        if after is not None and isinstance(after.expires, float):  # a time to live
            after = after.but(expires=(begin + after.expires, clock.now() + after.expires))
            self.note_expiry(key, after)
        if answer is None or (answer.status in (503, 504) and answer.getheader("RackKV-Outcome") != "none"):
            self.settle(key, [state] + ([after] if after is not None and holds else []))
            return None
        if answer.status == 503:
            return None
        if state.value is None and absent_status is not None:
            self.want(f"{method} {target} of nothing", answer.status, absent_status)
        elif not holds:
            self.want(f"{method} {target} {headers}", answer.status, 412)
            self.want(f"ETag of 412 of {key}", answer.getheader("ETag"), state.etag or answer.getheader("ETag"))
        else:
            self.want(f"{method} {target} {headers}", answer.status, statuses)
            self.states[key] = after.but(etag=answer.getheader("ETag")) if after.value is not None else after
            return answer
        return None

    def value(self):
        size = self.chance.choice((0, 1, 15, 100, 1000, 5000, 70000 if self.chance.randrange(8) == 0 else 300))
        return self.chance.randbytes(size)

    def put(self, key, state):
        condition, holds = self.condition(state, makes=True)
        expiry, ttl = self.expiry()
        kind = self.chance.choice((None, "text/plain", "image/png; q=1"))
        meta = self.chance.choice((None, "a note", 'odd "bytes" \\ here'))
        headers = {**condition, **expiry}
        if kind is not None:
            headers["Content-Type"] = kind
        if meta is not None:
            headers["RackKV-Meta-Note"] = meta
        after = State(self.value(), kind, meta, ttl)
        self.write(key, state, after, self.chance.choice(("PUT", "POST")), "/v1/kv/" + key, after.value, headers, holds,
                   412 if "If-Match" in condition else None, 201 if state.value is None else 204)

    def delete(self, key, state):
        condition, holds = self.condition(state, makes=False)
        self.write(key, state, ABSENT, "DELETE", "/v1/kv/" + key, None, condition, holds, 404, 204)

    def incr(self, key, state):
        by = self.chance.choice((1, 1, -3, 1000))
        number = 0 if state.value is None else int(state.value) if state.value.lstrip(b"-").isdigit() and len(state.value) < 15 else None
        target = f"/v1/kv/{key}?op=incr&by={by}"
        if number is None:
            answer = self.ask("POST", target)
            if answer is not None and answer.status != 503:
                self.want(f"incr of {key}", answer.status, 409)
            return
        after = state.but(value=b"%d" % (number + by), etag=None)
        answer = self.write(key, state, after, "POST", target, None, {}, True, None, 200)
        if answer is not None:
            self.want(f"number of {key}", answer.content, after.value)

    def append(self, key, state):
        more = self.chance.randbytes(self.chance.randrange(40))
        if state.value is not None and len(state.value) > 100000:
            return
        after = state.but(value=(state.value or b"") + more, etag=None)
        self.write(key, state, after, "POST", f"/v1/kv/{key}?op=append", more, {}, True, None,
                   201 if state.value is None else 200)

    def touch(self, key, state):
        expiry, ttl = self.expiry()
        after = state.but(expires=ttl, etag=None)
        self.write(key, state, after, "POST", f"/v1/kv/{key}?op=touch", None, expiry, True, 404, 204)

    def run(self, n):
        operations = [self.get] * 8 + [self.put] * 6 + [self.delete] * 2 + [self.incr] * 2 + [self.append, self.touch]
        done = 0
        while done < n or (done < 100 * n and not os.path.exists(ENOUGH)):  # all restarts are to happen under them
            done += 1
            clock.begin(self.number)
            self.heed_clock()
            self.operate(self.chance.choice(list(self.states)), self.chance.choice(operations))
            clock.end(self.number)
        clock.begin(self.number)
        self.heed_clock()
        for key in self.states:
            state = self.state_now(key)
            self.check_read(key, state, self.read_now(key))
        clock.end(self.number)

    def operate(self, key, operation):
        state = self.state_now(key)
        try:
            operation(key, state)
        except Different:
            if state.expires is None or clock.now() < state.expires[0] - 0.02:
                raise
            self.delete_now(key)  # the machine stood still, and it expired meanwhile: nobody knows on which side of that


def start_server(port):
    arguments = [RACKKVD, "-o", f"http.listen=127.0.0.1:{port}", "-o", f"server.data_dir={FOLDER}/data"]
    for setting in SETTINGS:
        arguments += ["-o", setting]
    log = open(f"{FOLDER}/diag", "a+")
    preload = {}
    if CLOCK:
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # it is not the first library any more
        preload = {"LD_PRELOAD": CLOCK, "RK_CLOCK_FILE": clock.path, "ASAN_OPTIONS": sanitizer}
    server = subprocess.Popen(arguments, stderr=log, env={**os.environ, **preload})
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S).close()
            return server
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                sys.exit("the server does not start:\n" + log.read()[-2000:])
            time.sleep(0.005)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_client(number, port):
    client = Client(number, port)
    try:
        client.run(N_OPERATIONS // N_CLIENTS)
    except Different as difference:
        print(f"seed {SEED}: {difference}", flush=True)
        clock.end(number)
        os._exit(1)
    os._exit(0 if client.n_lost == 0 or N_RESTARTS > 0 else 1)


def main():
    port = free_port()
    server = start_server(port)
    children = []
    for number in range(N_CLIENTS):
        pid = os.fork()
        if pid == 0:
            run_client(number, port)
        children.append(pid)
    chance = random.Random(SEED)
    n_restarts = failed = 0
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in children:
            children.remove(pid)
            failed += status != 0
        elif pid == server.pid:
            sys.exit("the server has ended by itself")
        elif n_restarts < N_RESTARTS:
            time.sleep(chance.random() * 0.6)
            server.send_signal(chance.choice((signal.SIGTERM, signal.SIGKILL)))
            server.wait()
            server = start_server(port)
            n_restarts += 1
            for _ in range(STEPS_PER_RESTART if CLOCK else 0):
                clock.step(N_CLIENTS)
                time.sleep(chance.random() * 0.1)
        else:
            open(ENOUGH, "w").close()
            time.sleep(0.01)
    server.send_signal(signal.SIGTERM)
    if server.wait() != 0:
        sys.exit("the server's end was not clean")
    print(f"{N_OPERATIONS} operations or more of {N_CLIENTS} clients, {n_restarts} restarts, {clock.n_steps()} steps of the clock: "
          f"{failed} clients saw a difference")
    sys.exit(failed > 0 or n_restarts < N_RESTARTS)


main()
