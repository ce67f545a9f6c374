"""Tests of rackkv.py: against a server (RACKKV_URL), and against one of canned answers."""

from __future__ import annotations

import datetime
import os
import queue
import random
import select
import socket
import sys
import threading
import time
import unittest
from typing import Any, Callable, List, Optional

import rackkv
from rackkv import RackKV

N_THREADS = 8


class OfAServer(unittest.TestCase):
    """What the server itself does with it."""

    def setUp(self) -> None:
        self.db = RackKV(os.environ["RACKKV_URL"])
        self.key = f"test/{random.getrandbits(64):x}/"

    def tearDown(self) -> None:
        self.db.close()

    def test_mapping(self) -> None:
        key = self.key + "a b/../ü%2F"
        self.assertNotIn(key, self.db)
        with self.assertRaises(KeyError):
            self.db[key]
        with self.assertRaises(KeyError):
            del self.db[key]
        self.db[key] = "caf\u00e9"
        self.assertEqual(self.db[key], "caf\u00e9".encode())
        self.assertEqual(self.db[key.encode()], "caf\u00e9".encode())
        self.assertIn(key, self.db)
        self.assertNotIn(7, self.db)
        self.assertIn(bytearray(key.encode()), self.db)
        del self.db[key]
        self.assertIsNone(self.db.get(key))
        self.assertEqual(self.db.get(key, b"none"), b"none")

    def test_bytes(self) -> None:
        key = self.key.encode() + bytes(range(256))
        value = bytes(range(256)) * 5000
        self.assertTrue(self.db.put(key, value).created)
        self.assertFalse(self.db.put(key, memoryview(value)).created)
        self.assertEqual(self.db[key], value)
        empty: List[rackkv.Value] = [b"", bytearray(), memoryview(b""), ""]
        for value_of_none in empty:
            self.db[key] = value_of_none
            self.assertEqual(self.db[key], b"")
        with self.assertRaises(ValueError):
            self.db.put("", b"")

    def test_entry(self) -> None:
        written = self.db.put(
            self.key,
            b"0123456789",
            content_type="text/plain",
            meta={"Owner": "Krak\u00f3w", "empty": ""},
            headers={"Content-Language": "de", "Cache-Control": "max-age=60"},
        )
        for entry in (self.db.entry(self.key), self.db.head(self.key)):
            assert entry is not None
            self.assertEqual((entry.etag, entry.seq, entry.size), (written.etag, written.seq, 10))
            self.assertEqual((entry.content_type, entry.expires), ("text/plain", None))
            self.assertEqual(entry.meta["owner"], "Krak\u00f3w")
            self.assertEqual(entry.headers["content-language"], "de")
            self.assertEqual(entry.headers["cache-control"], "max-age=60")
        self.assertIsNone(self.db.entry(self.key + "none"))
        self.assertIsNone(self.db.head(self.key + "none"))

    def test_part(self) -> None:
        self.db[self.key] = b"0123456789"
        for part in (slice(0, 4), slice(4, None), slice(-3, None), slice(None, 2), slice(8, 100), slice(None, None)):
            self.assertEqual(self.db.get(self.key, part=part), b"0123456789"[part])
            entry = self.db.entry(self.key, part=part)
            assert entry is not None
            self.assertEqual(entry.size, 10)
        self.assertIsNone(self.db.get(self.key + "none", part=slice(0, 4)))
        with self.assertRaises(rackkv.Refused) as caught:
            self.db.get(self.key, part=slice(10, None))
        self.assertEqual(caught.exception.status, 416)
        for wrong in (slice(0, 4, 2), slice(-4, -2), slice(4, 4), slice(4, 2)):
            with self.assertRaises(ValueError):
                self.db.get(self.key, part=wrong)

    def test_conditions(self) -> None:
        first = self.db.put(self.key, b"1", if_none_match="*")
        with self.assertRaises(rackkv.ConditionFailed) as caught:
            self.db.put(self.key, b"2", if_none_match="*")
        self.assertEqual(caught.exception.etag, first.etag)
        self.assertFalse(caught.exception.may_have_happened)
        second = self.db.put(self.key, b"2", if_match=first)
        for etag in (first, first.etag, str(first.seq)):
            with self.assertRaises(rackkv.ConditionFailed):
                self.db.put(self.key, b"3", if_match=etag)
        with self.assertRaises(rackkv.ConditionFailed):
            self.db.delete(self.key, if_match=first)
        with self.assertRaises(rackkv.ConditionFailed) as caught:
            self.db.entry(self.key, if_none_match=second)
        self.assertEqual((caught.exception.status, caught.exception.etag), (304, second.etag))
        self.assertEqual(self.db[self.key], b"2")
        self.assertIsNotNone(self.db.delete(self.key, if_match=second))
        with self.assertRaises(rackkv.ConditionFailed) as caught:
            self.db.put(self.key, b"4", if_match="*")
        self.assertIsNone(caught.exception.etag)

    def test_expiry(self) -> None:
        now = int(time.time())
        self.db.put(self.key, b"v", ttl=3600)
        entry = self.db.entry(self.key)
        assert entry is not None and entry.expires is not None
        self.assertLessEqual(abs(entry.expires - now - 3600), 60)
        times: List[rackkv.TimeToLive] = [7200, 7200.0, "2h", datetime.timedelta(hours=2)]
        for ttl in times:
            self.assertIsNotNone(self.db.touch(self.key, ttl))
            entry = self.db.head(self.key)
            assert entry is not None and entry.expires is not None
            self.assertLessEqual(abs(entry.expires - now - 7200), 60)
        self.db.touch(self.key)
        entry = self.db.head(self.key)
        assert entry is not None
        self.assertIsNone(entry.expires)
        moments: List[rackkv.Moment] = [now + 600, datetime.datetime.fromtimestamp(now + 600, datetime.timezone.utc)]
        for expires in moments:
            self.db.put(self.key, b"v", expires=expires)
            entry = self.db.head(self.key)
            assert entry is not None
            self.assertEqual(entry.expires, now + 600)
        self.db.put(self.key, b"v", expires=1)
        self.assertNotIn(self.key, self.db)
        self.assertIsNone(self.db.touch(self.key, 60))
        with self.assertRaises(rackkv.Refused) as caught:
            self.db.put(self.key, b"v", ttl=0)
        self.assertEqual(caught.exception.status, 400)
        with self.assertRaises(ValueError):
            self.db.put(self.key, b"v", expires=datetime.datetime(2030, 1, 1))

    def test_keys_in_order(self) -> None:
        base = self.key.encode()
        keys = sorted([base + b"%04d" % i for i in range(1100)] + [base + b"\xff\x00", base + b"a/1", base + b"a/2"])
        for i, key in enumerate(keys):
            self.db[key] = b"\xfe" if i % 3 == 0 else str(i)
        self.assertEqual(list(self.db.keys(self.key)), keys)
        self.assertEqual(list(self.db.keys(base, after=keys[-3])), keys[-2:])
        self.assertEqual(list(self.db.keys(base + b"\xff")), [base + b"\xff\x00"])
        self.assertEqual(list(self.db.keys(base + b"none")), [])
        items = dict(self.db.items(self.key))
        self.assertEqual(list(items), keys)
        self.assertEqual(items[keys[1]], b"1")
        self.assertEqual(items[keys[3]], b"\xfe")
        self.assertEqual(list(self.db.prefixes(self.key)), [base + b"a/"])
        self.assertEqual(list(self.db.prefixes(self.key, delimiter=b"\xff")), [base + b"\xff"])
        del self.db[keys[500]]
        self.assertNotIn(keys[500], list(self.db.keys(self.key)))

    def test_a_large_value_in_a_list(self) -> None:
        self.db[self.key] = bytes(range(256)) * 1000
        self.assertEqual(dict(self.db.items(self.key)), {self.key.encode(): bytes(range(256)) * 1000})

    def test_numbers_and_appending(self) -> None:
        self.assertEqual([self.db.incr(self.key), self.db.incr(self.key, 41), self.db.incr(self.key, -50)], [1, 42, -8])
        self.assertTrue(self.db.append(self.key + "log", b"one").created)
        self.assertFalse(self.db.append(self.key + "log", "two").created)
        self.assertEqual(self.db[self.key + "log"], b"onetwo")
        with self.assertRaises(rackkv.Refused) as caught:
            self.db.incr(self.key + "log")
        self.assertEqual(caught.exception.status, 409)

    def test_durability(self) -> None:
        for durability in ("written", "synced"):
            self.db.put(self.key, durability, durability=durability)
            self.assertEqual(self.db[self.key], durability.encode())
        with self.assertRaises(rackkv.Refused):
            self.db.put(self.key, b"", durability="never")

    def test_update(self) -> None:
        self.assertIsNotNone(self.db.update(self.key, lambda old: b"new" if old is None else b"wrong"))
        self.db.put(self.key, b"a", ttl=3600, content_type="text/plain", meta={"owner": "me"})
        self.db.update(self.key, lambda old: (old or b"") + b"b")
        entry = self.db.entry(self.key)
        assert entry is not None and entry.expires is not None
        self.assertEqual((entry.value, entry.content_type, entry.meta["owner"]), (b"ab", "text/plain", "me"))
        self.assertIsNotNone(self.db.update(self.key, lambda old: None))
        self.assertNotIn(self.key, self.db)
        self.assertIsNone(self.db.update(self.key, lambda old: None))

        def disturb(old: Optional[bytes]) -> bytes:
            self.db[self.key] = b"disturbed"
            return b"lost"

        with self.assertRaises(rackkv.ConditionFailed):
            self.db.update(self.key, disturb, attempts=3)
        self.assertEqual(self.db[self.key], b"disturbed")

    def test_threads(self) -> None:
        """Compare and set, and increments, by many threads with one object: none is lost."""
        errors: List[BaseException] = []

        def work() -> None:
            try:
                for _ in range(20):
                    self.db.update(self.key, lambda old: str(int(old or 0) + 1))
                    self.db.incr(self.key + "n")
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(N_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(self.db[self.key], str(20 * N_THREADS).encode())
        self.assertEqual(self.db[self.key + "n"], str(20 * N_THREADS).encode())
        self.assertLessEqual(len(self.db._idle), N_THREADS)

    def test_one_connection_is_enough(self) -> None:
        for i in range(50):
            self.db[self.key] = str(i)
            self.assertEqual(self.db[self.key], str(i).encode())
        self.assertEqual(len(self.db._idle), 1)
        connection = self.db._idle[0]
        self.assertIn(self.key, self.db)
        self.assertIs(self.db._idle[0], connection)

    def test_children_make_their_own(self) -> None:
        self.db[self.key] = b"parent"
        port = self.db._idle[0].sock.getsockname()[1]
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                self.db[self.key] = b"child"
                is_another = self.db._idle[0].sock.getsockname()[1] != port
                code = 0 if self.db[self.key] == b"child" and is_another else 1
            finally:
                os._exit(code)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertEqual(self.db[self.key], b"child")

    def test_what_no_header_can_carry(self) -> None:
        for wrong in ("a\r\nX: y", "a\nb", "\0", "\x7f"):
            with self.assertRaises(ValueError):
                self.db.put(self.key, b"", content_type=wrong)
            with self.assertRaises(ValueError):
                self.db.put(self.key, b"", meta={"a": wrong})
            with self.assertRaises(ValueError):
                self.db.put(self.key, b"", if_match=wrong)
        with self.assertRaises(ValueError):
            self.db.put(self.key, b"", meta={"a\r\nb": ""})
        self.assertNotIn(self.key, self.db)


def answer(status: str, headers: str = "RackKV-Seq: 7\r\n", body: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}".encode()


PROBLEM = "Content-Type: application/problem+json\r\n"
NONE = PROBLEM + "RackKV-Outcome: none\r\nRetry-After: 0\r\n"
UNKNOWN = PROBLEM + "RackKV-Outcome: unknown\r\nRetry-After: 0\r\n"
BUSY = '{"code":"busy","detail":"later"}'


class OfCannedAnswers(unittest.TestCase):
    """What the client makes of what a server does not do every day."""

    def setUp(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.answers: "queue.Queue[bytes]" = queue.Queue()
        self.requests: List[str] = []
        self.n_connections = 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        self.db = RackKV(f"http://127.0.0.1:{self.listener.getsockname()[1]}", timeout=20)

    def tearDown(self) -> None:
        self.db.close()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.n_connections += 1
            with connection:
                while self.serve_one(connection):
                    pass

    def serve_one(self, connection: socket.socket) -> bool:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return False
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")]
        while length and len(body) < length[0]:
            body += connection.recv(65536)
        self.requests.append(head.decode() + "\n" + body.decode())
        canned = self.answers.get_nowait()
        connection.sendall(canned.removeprefix(b"close:"))
        return bool(canned) and not canned.startswith(b"close:")

    def queue(self, *answers: bytes) -> None:
        for each in answers:
            self.answers.put(each)

    def test_reads_are_sent_again(self) -> None:
        self.queue(b"", b"close:" + answer("200 OK", body="value")[:-2], answer("200 OK", body="value"))
        self.assertEqual(self.db["k"], b"value")
        self.queue(b"", answer("200 OK"))
        self.assertTrue(self.db.exists("k"))
        self.queue(b"", b"", b"", b"")
        with self.assertRaises(rackkv.Unreachable) as caught:
            self.db.get("k")
        self.assertFalse(caught.exception.may_have_happened)
        self.assertEqual(len(self.requests), 9)

    def test_writes_are_not(self) -> None:
        writes: List[Callable[[], object]] = [
            lambda: self.db.put("k", b"v"),
            lambda: self.db.delete("k"),
            lambda: self.db.incr("k"),
            lambda: self.db.append("k", b"v"),
            lambda: self.db.touch("k"),
        ]
        for write in writes:
            for broken in (b"", b"close:HTTP/1.1 204 No Con"):
                self.queue(broken)
                del self.requests[:]
                with self.assertRaises(rackkv.Unreachable) as caught:
                    write()
                self.assertTrue(caught.exception.may_have_happened)
                self.assertEqual(len(self.requests), 1)

    def test_what_was_not_done_is_sent_again(self) -> None:
        busy = answer("503 Service Unavailable", NONE, BUSY)
        self.queue(busy, busy, answer("200 OK", body="8"))
        self.assertEqual(self.db.incr("k"), 8)
        self.assertEqual(len(self.requests), 3)
        self.queue(busy, busy, busy, busy)
        with self.assertRaises(rackkv.Refused) as caught:
            self.db.put("k", b"v")
        self.assertEqual((caught.exception.status, caught.exception.code), (503, "busy"))
        self.assertFalse(caught.exception.may_have_happened)
        self.assertEqual(len(self.requests), 7)

    def test_what_may_have_been_done_is_not(self) -> None:
        for status in ("503 Service Unavailable", "504 Gateway Timeout"):
            self.queue(answer(status, UNKNOWN, BUSY))
            with self.assertRaises(rackkv.Refused) as caught:
                self.db.put("k", b"v")
            self.assertTrue(caught.exception.may_have_happened)
        self.queue(answer("507 Insufficient Storage", PROBLEM, '{"code":"no-space"}'))
        with self.assertRaises(rackkv.Refused) as caught:
            self.db.put("k", b"v")
        self.assertFalse(caught.exception.may_have_happened)
        self.assertEqual(len(self.requests), 3)

    def test_an_idle_connection_that_was_closed_is_not_used(self) -> None:
        self.queue(b"close:" + answer("204 No Content"))
        self.db["k"] = b"1"
        self.assertEqual(len(self.db._idle), 1)
        select.select([self.db._idle[0].sock], [], [], 20)  # until the end of the connection is here
        self.queue(answer("204 No Content"))
        self.db["k"] = b"2"
        self.assertEqual((len(self.requests), self.n_connections), (2, 2))

    def test_nobody_there(self) -> None:
        closed = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        closed.close()
        for db in (RackKV(url), RackKV("unix:/nonexistent/socket")):
            with self.assertRaises(rackkv.Unreachable) as caught:
                db.put("k", b"v")
            self.assertFalse(caught.exception.may_have_happened)

    def test_a_silent_server(self) -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        db = RackKV(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
        with self.assertRaises(rackkv.Unreachable) as caught:
            db.put("k", b"v")
        self.assertTrue(caught.exception.may_have_happened)
        silent.close()

    def test_strangers(self) -> None:
        for stranger in (
            answer("200 OK", "Content-Type: text/html\r\n", "sign in"),
            answer("404 Not Found", PROBLEM, '{"code":"not-found"}'),
            answer("302 Found", "Location: /\r\n"),
            answer("502 Bad Gateway", "Content-Type: text/html\r\n"),
            answer("200 OK", "RackKV-Seq: x\r\n", "v"),
        ):
            self.queue(stranger)
            with self.assertRaises(rackkv.NotRackKV):
                self.db.get("k")
        self.queue(answer("200 OK", body="whole"))
        with self.assertRaises(rackkv.NotRackKV):
            self.db.get("k", part=slice(0, 2))
        self.queue(*[b"close:HTTP/1.1 200 OK\r\nRackKV-Seq: 7\r\n\r\nhalf"] * 4)
        with self.assertRaises(rackkv.Unreachable):
            self.db.get("k")

    def test_denied(self) -> None:
        for status in ("401 Unauthorized", "403 Forbidden"):
            self.queue(answer(status, PROBLEM, '{"code":"denied","detail":"no"}'))
            with self.assertRaises(rackkv.Denied):
                self.db.put("k", b"v")

    def test_what_is_sent(self) -> None:
        self.queue(answer("201 Created"), answer("200 OK", body="1"), answer("204 No Content"))
        self.db.put("a/b ", b"v", ttl=1.5, meta={"who": "\u00e9"}, if_match="12", durability="written")
        self.db.incr("n", -3)
        self.db.touch("k", datetime.timedelta(days=1))
        lines = self.requests[0].split("\r\n")
        self.assertEqual(lines[0], "PUT /v1/kv/a%2Fb%20 HTTP/1.1")
        for line in ("RackKV-TTL: 1500ms", 'If-Match: "12"', "RackKV-Durability: written", "RackKV-Meta-who: \u00e9"):
            self.assertIn(line, lines)
        self.assertTrue(self.requests[0].endswith("\nv"))
        self.assertTrue(self.requests[1].startswith("POST /v1/kv/n?op=incr&by=-3 HTTP/1.1\r\n"))
        self.assertIn("RackKV-TTL: 86400000ms", self.requests[2])
        self.assertEqual(self.n_connections, 1)

    def test_what_is_no_bytes_is_no_key_and_no_value(self) -> None:
        no_bytes: List[Any] = [5, 0, True, 1.5, None, [1, 2], ("a",), {"a": 1}]
        for wrong in no_bytes:
            with self.assertRaises(TypeError):
                self.db[wrong]
            with self.assertRaises(TypeError):
                self.db["k"] = wrong
            with self.assertRaises(TypeError):
                self.db.append("k", wrong)
        self.assertEqual(self.requests, [])

    def test_a_refusal_says_what_was_wrong(self) -> None:
        self.queue(
            answer("400 Bad Request", PROBLEM, '{"code":"bad-ttl","detail":"no","parameter":"ttl"}'),
            answer("413 Content Too Large", PROBLEM, '{"code":"value-too-large","detail":"large","limit":9}'),
            answer("400 Bad Request", PROBLEM, '{"code":"bad-metadata","detail":"no","header":"RackKV-Meta-a"}'),
        )
        for words in ("bad-ttl: no (parameter ttl)", "value-too-large: large (limit 9)", "no (header RackKV-Meta-a)"):
            with self.assertRaises(rackkv.Refused) as caught:
                self.db.put("k", b"v")
            self.assertTrue(str(caught.exception).endswith(words), caught.exception)

    def test_urls(self) -> None:
        wrong = ["", "unix:", "https://a", "127.0.0.1:8080", "http://", "http://a/v1", "http://a@b", "http://a?x"]
        for url in wrong + ["http://a#x", "http://a:65536", "http://a:x", "http://[::1", "http://a b", "http://@a"]:
            with self.assertRaisesRegex(ValueError, "is no URL of a server; right is http://host:port"):
                RackKV(url)
        for timeout in (0, -1):
            with self.assertRaisesRegex(ValueError, "timeout: more than 0 seconds"):
                RackKV("http://a", timeout=timeout)

    def test_what_is_of_another_type_is_not_guessed(self) -> None:
        no_number: List[Any] = [1.5, "5", None, [1]]
        for wrong in no_number:
            with self.assertRaisesRegex(TypeError, "by: a whole number"):
                self.db.incr("n", wrong)
        no_slice: List[Any] = [3, slice(0.5, 2), slice("a", None), "0-1"]
        for wrong in no_slice:
            with self.assertRaisesRegex(TypeError, "part: a slice"):
                self.db.get("k", part=wrong)
        no_text: List[Any] = [7, b"7", 1.5]
        for wrong in no_text:
            with self.assertRaisesRegex(TypeError, "a: a str, not"):
                self.db.put("k", b"", meta={"a": wrong})
            with self.assertRaisesRegex(TypeError, "if_match: an ETag is a str"):
                self.db.put("k", b"", if_match=wrong)
        every: Any = self.db
        with self.assertRaises(TypeError):
            iter(every)
        self.assertEqual(self.requests, [])


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=1)
    failed = len(program.result.failures) + len(program.result.errors)
    print(f"script cases: {program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun > 0 else 1)
