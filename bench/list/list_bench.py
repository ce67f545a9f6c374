"""Listings of a server of its own: pages of 1,000 keys from anywhere, and all keys as a stream, alone and four at once.

    list_bench.py RACKKVD FOLDER [N_KEYS [FILE_SIZE]]

Prints a line a figure; the keys have 20 bytes and come in no order, the values have 15. One worker."""

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.request

RACKKVD, FOLDER = sys.argv[1], sys.argv[2]
N_KEYS = int(sys.argv[3]) if len(sys.argv) > 3 else 1000000
FILE_SIZE = sys.argv[4] if len(sys.argv) > 4 else "5MiB"
N_PAGES, N_BATCH, N_CONNECTIONS, MULTIPLIER = 1000, 32, 64, 7368787  # a prime: each key once


def key_of(i):
    return b"key/%016d" % (i * MULTIPLIER % N_KEYS * 1000003)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(port):
    settings = f"server.workers=1 log.sync=none merge.policy=never limits.max_value=1MiB log.file_size={FILE_SIZE}"
    arguments = [RACKKVD, "-o", f"http.listen=127.0.0.1:{port}", "-o", f"server.data_dir={FOLDER}/data"]
    for setting in settings.split():
        arguments += ["-o", setting]
    server = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    for _ in range(1000):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").close()
            return server
        except OSError:  # an answer of 503 as well
            time.sleep(0.01)
    sys.exit("the server does not start")


def read_answers(connection, n):
    answers = b""
    while answers.count(b"\r\n\r\n") < n:
        answers += connection.recv(1 << 20)
    if answers.count(b"HTTP/1.1 201") != n:
        sys.exit(f"not all was stored: {answers[:200]!r}")


def load(port):
    """A batch at a time for each of many connections: each has a share of a turn of the server's."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(N_CONNECTIONS)]
    begin = time.monotonic()
    for first in range(0, N_KEYS, N_BATCH * N_CONNECTIONS):
        sent = []
        for number, connection in enumerate(connections):
            ours = range(first + number * N_BATCH, min(first + (number + 1) * N_BATCH, N_KEYS))
            connection.sendall(
                b"".join(
                    b"PUT /v1/kv/%s HTTP/1.1\r\nHost: h\r\nContent-Length: 15\r\n\r\n%015d" % (key_of(i), i) for i in ours
                )
            )
            sent.append(len(ours))
        for connection, n in zip(connections, sent):
            read_answers(connection, n)
    for connection in connections:
        connection.close()
    print(f"loaded {N_KEYS} keys in {time.monotonic() - begin:.1f} s, in {count_files('data')} files", flush=True)


def count_files(kind):
    return sum(name.endswith("." + kind) for name in os.listdir(f"{FOLDER}/data"))


def wait_for_hints():
    for _ in range(6000):
        if count_files("hint") >= count_files("data") - 1:
            return
        time.sleep(0.01)
    sys.exit("the hints are not made")


def worker_of(server):
    children = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True).stdout.split()
    return int(children[0])


def memory_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["RssAnon"].split()[0])  # files in the page cache and what is shared are nobody's own


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def measure_pages(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times, chance = [], random.Random(1)
    for i in range(N_PAGES):
        target = "/v1/kv?after=" + key_of(chance.randrange(N_KEYS)).decode()
        begin = time.monotonic()
        connection.request("GET", target)
        content = connection.getresponse().read()
        if i >= N_PAGES // 10:  # warm
            times.append(time.monotonic() - begin)
        if not content.endswith(b"}\n"):
            sys.exit(f"no page: {content[-200:]!r}")
    connection.close()
    return f"p50 {percentile(times, 0.5):.2f} ms, p99 {percentile(times, 0.99):.2f} ms"


def stream(port, rates):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/kv", headers={"Accept": "application/x-ndjson"})
    begin, n, last = time.monotonic(), 0, b""
    with urllib.request.urlopen(request) as answer:
        while piece := answer.read1(1 << 20):
            n += piece.count(b"\n")
            last = piece
    if not last.endswith(b'{"complete":true}\n') or n != N_KEYS + 1:
        sys.exit(f"a stream of {n} lines")
    rates.append((n - 1) / (time.monotonic() - begin))


def measure_gets(port, seconds, is_over):
    connection = socket.create_connection(("127.0.0.1", port))
    times, end, chance = [], time.monotonic() + seconds, random.Random(2)
    while time.monotonic() < end and not is_over():
        request = b"GET /v1/kv/%s HTTP/1.1\r\nHost: h\r\n\r\n" % key_of(chance.randrange(N_KEYS))
        begin = time.monotonic()
        connection.sendall(request)
        connection.recv(1 << 16)
        times.append(time.monotonic() - begin)
    connection.close()
    return f"p50 {percentile(times, 0.5):.3f} ms, p99 {percentile(times, 0.99):.3f} ms"


def main():
    port = free_port()
    server = start(port)
    try:
        load(port)
        wait_for_hints()
        worker = worker_of(server)
        before = memory_kib(worker)
        print("GET alone:", measure_gets(port, 3, lambda: False))
        print("a page of 1,000 keys:", measure_pages(port))
        rates = []
        for _ in range(3):
            stream(port, rates)
        print(f"a stream: {max(rates):.0f} keys/s", flush=True)
        rates = []
        threads = [threading.Thread(target=stream, args=(port, rates)) for _ in range(4)]
        for thread in threads:
            thread.start()
        print("GET beside four streams:", measure_gets(port, 60, lambda: len(rates) == 4))
        for thread in threads:
            thread.join()
        print(f"four streams: {sum(rates):.0f} keys/s; the worker's memory: {(memory_kib(worker) - before) // 1024} MiB more")
        stats = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/stats"))
        print("records read for it:", sum(worker["list_reads"] for worker in stats["workers"]))
    finally:
        server.terminate()
        server.wait()


main()
