"""Listings while everything changes: clients list the keys in every way that there is, others write, overwrite and delete,
files are merged all the time, and the server is restarted under them, cleanly and by SIGKILL.

What must be: keys ascend; each key that is there throughout comes exactly once; a key that was gone before never comes; and
of the keys of a client, which nobody else writes, the listing says exactly what they are: size, ETag, value.

    system_list.py RACKKVD FOLDER N_LISTINGS N_RESTARTS SEED"""

import base64
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import quote

RACKKVD, FOLDER = sys.argv[1], sys.argv[2]
N_LISTINGS, N_RESTARTS, SEED = (int(word) for word in sys.argv[3:6])
N_LISTERS, N_WRITERS = 3, 2
N_STABLE, N_CHURN, N_OWN = 600, 1500, 60
DEADLINE_S = 60
ENOUGH = f"{FOLDER}/enough"  # is there when the server was restarted as often as it should be
OVER = f"{FOLDER}/over"  # and this when all has been listed
SETTINGS = (
    "server.workers=2 limits.max_value=1MiB ring.size=8MiB log.sync=interval log.sync_interval=20ms log.file_size=2MiB "
    "log.reserve=512KiB merge.check_interval=100ms merge.jitter=0 merge.threshold.dead_bytes=1 "
    "merge.trigger.dead_bytes=1 merge.min_free=0"
).split()


class Different(Exception):
    pass


def stable_key(i):
    """All over the order, some of them no text, and some that share a part with others."""
    return (b"s/%02x/%d" % (i * 37 % 256, i)) if i % 5 else (b"\xff\xfes%d" % i)


STABLE = sorted(stable_key(i) for i in range(N_STABLE))
DEAD = [b"s/%02x/dead%d" % (i, i) for i in range(100)]


class Client:
    def __init__(self, number, port):
        self.number, self.port = number, port
        self.chance = random.Random(SEED * 1000 + number)
        self.connection = None

    def open(self):
        deadline = time.monotonic() + DEADLINE_S
        while self.connection is None:
            try:
                self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)
            except OSError:
                if time.monotonic() > deadline:
                    raise Different("nobody listens")
                time.sleep(0.005)

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def send(self, method, target, body, headers):
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b""))
        answer = http.client.HTTPResponse(self.connection, method=method)
        answer.begin()
        return answer

    def ask(self, method, target, body=None, headers=None):
        """Again until the server has answered; and as often as it is not ready."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            self.open()
            try:
                answer = self.send(method, target, body, headers)
                answer.content = answer.read()
            except (OSError, http.client.HTTPException):
                self.close()
                continue
            if answer.getheader("Connection") == "close":
                self.close()
            if answer.status != 503:
                return answer
            time.sleep(0.005)  # nothing tells a client when a server is back
        raise Different(f"{method} {target} was not answered for {DEADLINE_S} s")

    def put(self, key, value):
        answer = self.ask("PUT", "/v1/kv/" + quote(key, safe=""), value)
        if answer.status not in (201, 204):
            raise Different(f"PUT {key!r}: {answer.status} {answer.content!r}")
        return answer.getheader("ETag")

    def delete(self, key):
        answer = self.ask("DELETE", "/v1/kv/" + quote(key, safe=""))
        if answer.status not in (204, 404):
            raise Different(f"DELETE {key!r}: {answer.status}")

    def value_of(self, key):
        return key + b" " + b"x" * self.chance.choice((10, 300, 1500, 70000 if self.chance.random() < 0.1 else 20))


class Writer(Client):
    def run(self):
        while not os.path.exists(OVER):
            if self.chance.random() < 0.3:
                key = STABLE[self.chance.randrange(N_STABLE)]
                self.put(key, self.value_of(key))
                continue
            key = b"s/%02x/churn%d" % (self.chance.randrange(256), self.chance.randrange(N_CHURN))
            if self.chance.random() < 0.5:
                self.put(key, self.value_of(key))
            else:
                self.delete(key)


def bytes_of(row, name):
    if name in row:
        return row[name].encode()
    return base64.b64decode(row[name + "64"], validate=True)


def parameter(name, value):
    return f"{name}64=" + quote(base64.b64encode(value)) if b"\xff" in value else f"{name}=" + quote(value, safe="")


class Lister(Client):
    def __init__(self, number, port):
        super().__init__(number, port)
        self.own = {}

    def change_own(self):
        """What nobody else writes, and so is known."""
        for _ in range(20):
            key = b"own%d/%d/%d" % (self.number, self.chance.randrange(7), self.chance.randrange(N_OWN))
            if self.chance.random() < 0.6:
                value = self.value_of(key)
                self.own[key] = (value, self.put(key, value))
            else:
                self.delete(key)
                self.own.pop(key, None)

    # ---- three ways ----

    def stream(self, prefix, values):
        """Rows as they come; goes on behind the last one when the stream is cut."""
        rows, after, deadline = [], None, time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            query = ["values=1"] * values + ([parameter("prefix", prefix)] if prefix else [])
            query += [parameter("after", after)] if after else []
            self.open()
            try:
                answer = self.send("GET", "/v1/kv?" + "&".join(query), None, {"Accept": "application/x-ndjson"})
                if answer.status == 503:
                    answer.read()
                    time.sleep(0.005)
                    continue
                if answer.status != 200:
                    raise Different(f"a stream: {answer.status} {answer.read()!r}")
                for line in answer:
                    if not line.endswith(b"\n"):
                        break
                    row = json.loads(line)
                    if row == {"complete": True}:
                        answer.read()
                        return rows
                    rows.append(row)
                    after = bytes_of(row, "key")
                    if self.chance.random() < 0.002:
                        time.sleep(0.02)  # a slow reader
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                pass
            self.close()
        raise Different("no stream came to its end")

    def pages(self, prefix, values, delimiter=b""):
        rows, prefixes, after = [], [], None
        while True:
            query = [f"limit={self.chance.choice((1, 7, 100, 1000))}" if len(rows) < 50 else "limit=500"]
            query += ["values=1"] * values + ([parameter("prefix", prefix)] if prefix else [])
            query += ([parameter("after", after)] if after else []) + (["delimiter=/"] if delimiter else [])
            answer = self.ask("GET", "/v1/kv?" + "&".join(query))
            if answer.status != 200:
                raise Different(f"a page: {answer.status} {answer.content!r}")
            page = json.loads(answer.content)
            rows += page["keys"]
            prefixes += page["prefixes"]
            if page["complete"]:
                return rows, prefixes
            after = bytes_of(page, "after")

    # ---- what must be ----

    def check_rows(self, rows, prefix, values):
        keys = [bytes_of(row, "key") for row in rows]
        for before, key in zip(keys, keys[1:]):
            if before >= key:
                raise Different(f"{key!r} comes behind {before!r}")
        found = set(keys)
        missing = [key for key in STABLE if key.startswith(prefix) and key not in found]
        if missing:
            raise Different(f"{len(missing)} keys are missing, the first is {missing[0]!r}")
        if found.intersection(DEAD):
            raise Different("a deleted key is there")
        own = {key: row for key, row in zip(keys, rows) if key.startswith(b"own%d/" % self.number)}
        expected = {key for key in self.own if key.startswith(prefix)}
        if set(own) != expected:
            raise Different(f"own keys: {set(own) ^ expected!r}")
        for key, row in own.items():
            value, etag = self.own[key]
            if (row["size"], row["etag"], row["expires"]) != (len(value), etag, None):
                raise Different(f"{key!r}: {row!r}, not {len(value)} bytes, {etag}")
        for key, row in zip(keys, rows) if values else ():
            value = bytes_of(row, "value")
            if not value.startswith(key + b" ") or len(value) != row["size"]:
                raise Different(f"{key!r} has the value {value[:60]!r}")

    def check_prefixes(self):
        prefix = b"own%d/" % self.number
        rows, prefixes = self.pages(prefix, False, b"/")
        expected = sorted({key[: key.index(b"/", len(prefix)) + 1].decode() for key in self.own})
        if rows or prefixes != expected:
            raise Different(f"{prefixes!r} and {len(rows)} keys, not {expected!r}")

    def run(self, n):
        done = 0
        while done < n or (done < 100 * n and not os.path.exists(ENOUGH)):
            done += 1
            self.change_own()
            prefix = self.chance.choice((b"", b"", b"s/", b"own%d/" % self.number, b"\xff"))
            values = self.chance.random() < 0.3
            if self.chance.random() < 0.5:
                rows = self.stream(prefix, values)
            else:
                rows, _ = self.pages(prefix, values)
            self.check_rows(rows, prefix, values)
            self.check_prefixes()


def start_server(port):
    arguments = [RACKKVD, "-o", f"http.listen=127.0.0.1:{port}", "-o", f"server.data_dir={FOLDER}/data"]
    for setting in SETTINGS:
        arguments += ["-o", setting]
    log = open(f"{FOLDER}/diag", "a+")
    server = subprocess.Popen(arguments, stderr=log)
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


def fork_client(client, *arguments):
    pid = os.fork()
    if pid != 0:
        return pid
    try:
        client.run(*arguments)
    except Different as difference:
        print(f"seed {SEED}: client {client.number}: {difference}", flush=True)
        os._exit(1)
    except BaseException as error:  # whatever it is, the parent has to know
        print(f"seed {SEED}: client {client.number}: {error!r}", flush=True)
        os._exit(1)
    os._exit(0)


def prepare(port):
    client = Client(99, port)
    for key in STABLE:
        client.put(key, client.value_of(key))
    for key in DEAD:
        client.put(key, b"x")
    for key in DEAD:
        client.delete(key)
    client.close()


def restart(server, port, chance):
    server.send_signal(chance.choice((signal.SIGTERM, signal.SIGKILL)))
    server.wait()
    return start_server(port)


def main():
    port = free_port()
    server = start_server(port)
    prepare(port)
    writers = [fork_client(Writer(N_LISTERS + i, port)) for i in range(N_WRITERS)]
    listers = [fork_client(Lister(i, port), N_LISTINGS // N_LISTERS + 1) for i in range(N_LISTERS)]
    chance = random.Random(SEED)
    n_restarts = failed = 0
    while listers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in listers:
            listers.remove(pid)
            failed += status != 0
        elif pid != 0:
            sys.exit("the server, or a writer, has ended by itself")
        elif n_restarts < N_RESTARTS:
            time.sleep(0.2 + chance.random() * 0.6)
            server = restart(server, port, chance)
            n_restarts += 1
        else:
            open(ENOUGH, "w").close()
            time.sleep(0.01)
    open(OVER, "w").close()
    failed += sum(os.waitpid(pid, 0)[1] != 0 for pid in writers)
    server.send_signal(signal.SIGTERM)
    if server.wait() != 0:
        sys.exit("the server's end was not clean")
    print(f"{N_LISTINGS} listings or more, {n_restarts} restarts: {failed} clients saw a difference")


main()
