"""A client of RackKV in one file, with nothing but the standard library: copy it beside your program.

    import rackkv

    db = rackkv.RackKV("http://127.0.0.1:8080")        # or "unix:/run/rackkv.sock"
    db["greeting"] = "hello"
    db["greeting"]                                     # b"hello"
    db.put("session/7", b"ada", ttl=600)               # gone after ten minutes
    db.put("page", html, content_type="text/html", meta={"author": "ada"})
    db.incr("visits")                                  # 1
    db.append("log", b"a line\\n")
    db.put("lock", b"me", if_none_match="*")           # raises ConditionFailed if somebody has it
    db.get("film", part=slice(0, 1024))                # the first kibibyte
    db.update("counter", lambda old: str(int(old or 0) + 1))
    for key in db.keys("session/"):                    # in byte order, as they come
        ...
    for key, value in db.items("session/"):
        ...

Keys and values are bytes; a str is its UTF-8. What comes back is always bytes.

One object may be used by many threads at once: each request has a connection to itself, and connections are kept for
the next one. A child process that was forked makes its own.

What fails raises an Error, or a KeyError where an absent key is asked for by db[key]. Its may_have_happened says
whether a write may be there in spite of it. Nothing is ever sent twice that could happen twice: GET and HEAD are sent
again when a connection breaks, and any request that could not be sent at all, or that the server answered with 503 and
"RackKV-Outcome: none", which says that nothing of it was done and that another attempt may help. A PUT is not sent
again: between its two sendings somebody else may have written, and the second would undo that.
"""

from __future__ import annotations

import base64
import datetime
import http.client
import json
import os
import random
import select
import socket
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Type, Union
from types import TracebackType
from urllib.parse import quote, urlsplit

__all__ = [
    "RackKV",
    "Entry",
    "Written",
    "Error",
    "Unreachable",
    "NotRackKV",
    "Refused",
    "ConditionFailed",
    "Denied",
]

Key = Union[str, bytes]
Value = Union[str, bytes, bytearray, memoryview]
TimeToLive = Union[int, float, str, datetime.timedelta]
Moment = Union[int, datetime.datetime]

DEFAULT_URL = "http://127.0.0.1:8080"

_META = "RackKV-Meta-"
_SAFE = ("GET", "HEAD")


class Error(Exception):
    """Something failed; may_have_happened: whether a write may be there nevertheless."""

    may_have_happened = False


class Unreachable(Error):
    """Nobody answered, or the answer broke off."""

    def __init__(self, text: str, may_have_happened: bool) -> None:
        super().__init__(text + ("; the write may have happened" if may_have_happened else ""))
        self.may_have_happened = may_have_happened


class NotRackKV(Unreachable):
    """What answered is no RackKV server."""


class Refused(Error):
    """The server refused the request: its status, its code for programs, its words for people, which say, too, what
    header or parameter was wrong and what the limit is."""

    def __init__(self, status: int, code: str, detail: str, may_have_happened: bool) -> None:
        super().__init__(f"the server answered {status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.may_have_happened = may_have_happened


class ConditionFailed(Refused):
    """A condition does not hold; etag is the current one, None without any value."""

    def __init__(self, status: int, code: str, detail: str, etag: Optional[str]) -> None:
        super().__init__(status, code, detail, False)
        self.etag = etag


class Denied(Refused):
    """The server does not allow it."""


class Written(NamedTuple):
    """What a write became."""

    etag: Optional[str]  # None after a delete
    seq: int
    created: bool  # the key was absent before


class Entry(NamedTuple):
    """A value, or a part of it, with all that belongs to it."""

    value: bytes  # b"" from head()
    size: int  # of the whole value
    etag: str
    seq: int
    content_type: str
    expires: Optional[int]  # seconds since 1970
    meta: Dict[str, str]  # names in small letters
    headers: Dict[str, str]  # all of the answer's, names in small letters


class _Answer(NamedTuple):
    status: int
    headers: Dict[str, str]
    body: bytes

    def may_have_happened(self, method: str) -> bool:
        return method not in _SAFE and self.headers.get("rackkv-outcome") == "unknown"

    def seq(self) -> Optional[int]:
        text = self.headers.get("rackkv-seq", "")
        return int(text) if text.isascii() and text.isdigit() else None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: Optional[float]) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _to_bytes(text: Value) -> bytes:
    """bytes() alone would make five zero bytes of the number 5."""
    if isinstance(text, str):
        return text.encode()
    if isinstance(text, (bytes, bytearray, memoryview)):
        return bytes(text)
    raise TypeError(f"keys and values are bytes or str, not {type(text).__name__}")


def _path_of(key: Key, query: str = "") -> str:
    name = _to_bytes(key)
    if not name:
        raise ValueError("a key has at least one byte")
    return "/v1/kv/" + quote(name, safe="") + query


def _header_value(name: str, value: str) -> str:
    """Its UTF-8, a character for each byte, as http.client takes it; nothing that would end the line."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: a str, not {type(value).__name__}")
    if any((c < " " and c != "\t") or c == "\x7f" for c in value):
        raise ValueError(f"{name}: a header cannot carry the control character in {value!r}")
    return value.encode().decode("latin-1")


def _read_header(value: str) -> str:
    """http.client takes bytes for Latin-1; they are UTF-8, if they can be."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _member(row: Mapping[str, Any], name: str) -> bytes:
    """Text, or bytes that stand as base64."""
    if name in row:
        return str(row[name]).encode()
    return base64.b64decode(row[name + "64"])


def _etags(name: str, etag: Union[str, Written, Entry]) -> str:
    if isinstance(etag, (Written, Entry)):
        if etag.etag is None:
            raise ValueError(f"{name}: a deleted key has no ETag")
        return etag.etag
    if not isinstance(etag, str):
        raise TypeError(f"{name}: an ETag is a str, a Written or an Entry, not {type(etag).__name__}")
    return f'"{etag}"' if etag.isascii() and etag.isdigit() else etag


def _ttl(ttl: TimeToLive) -> str:
    if isinstance(ttl, datetime.timedelta):
        ttl = ttl.total_seconds()
    if isinstance(ttl, float):
        return f"{round(ttl * 1000)}ms"
    return str(ttl)


def _expires(moment: Moment) -> str:
    if isinstance(moment, datetime.datetime):
        if moment.tzinfo is None:
            raise ValueError("expires: a datetime needs its time zone")
        return str(int(moment.timestamp()))
    return str(moment)


def _range(part: slice) -> str:
    """slice(0, 100), slice(100, None), slice(-50, None): as of a sequence of bytes."""
    if not isinstance(part, slice) or not all(isinstance(end, (int, type(None))) for end in (part.start, part.stop)):
        raise TypeError("part: a slice() of whole numbers")
    start = 0 if part.start is None else part.start
    if part.step is not None or (start < 0 and part.stop is not None):
        raise ValueError("part: slice(FIRST, END), slice(FIRST, None) or slice(-N, None)")
    if part.stop is None:
        return f"bytes={start}" if start < 0 else f"bytes={start}-"
    if part.stop <= start:
        raise ValueError("part: it ends before it begins")
    return f"bytes={start}-{part.stop - 1}"


def _host_and_port(url: str) -> Tuple[str, int]:
    wrong = ValueError(f"{url!r} is no URL of a server; right is http://host:port or unix:/path")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is no number, half an address of IPv6
        raise wrong from None
    more = parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None
    if parts.scheme != "http" or not host or more or any(c <= " " or c == "\x7f" for c in host):
        raise wrong
    return host, 80 if port is None else port


def _is_closed(sock: Optional[socket.socket]) -> bool:
    """Whether the other side has hung up meanwhile: an idle connection has nothing to read."""
    if sock is None:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


Etag = Union[str, Written, Entry]


class RackKV:
    """A server. url: http://host:port or unix:/path; timeout: seconds that the other side may be silent; attempts: how
    often at most a request is sent that may be sent again."""

    def __init__(self, url: str = DEFAULT_URL, *, timeout: Optional[float] = 30.0, attempts: int = 4) -> None:
        if timeout is not None and not timeout > 0:
            raise ValueError("timeout: more than 0 seconds, or None to wait for ever")
        self._url = url
        self._timeout = timeout
        self._attempts = max(1, attempts)
        self._lock = threading.Lock()
        self._idle: List[http.client.HTTPConnection] = []
        self._pid = os.getpid()
        self._socket_path: Optional[str] = None
        self._host, self._port = "localhost", 80
        if url.startswith("unix:") and len(url) > 5:
            self._socket_path = url[5:]
            return
        self._host, self._port = _host_and_port(url)

    def __enter__(self) -> RackKV:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections that are idle; the next request opens another."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    # ---- as a mapping ----

    def __getitem__(self, key: Key) -> bytes:
        entry = self.entry(key)
        if entry is None:
            raise KeyError(key)
        return entry.value

    def __setitem__(self, key: Key, value: Value) -> None:
        self.put(key, value)

    def __delitem__(self, key: Key) -> None:
        if self.delete(key) is None:
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, (bytearray, memoryview)):
            key = bytes(key)
        return isinstance(key, (str, bytes)) and self.exists(key)

    __iter__ = None  # or Python would ask for the keys 0, 1, 2 ...

    # ---- reads ----

    def get(self, key: Key, default: Optional[bytes] = None, *, part: Optional[slice] = None) -> Optional[bytes]:
        """The value, or a part of it; default when the key is absent."""
        entry = self.entry(key, part=part)
        return default if entry is None else entry.value

    def entry(
        self,
        key: Key,
        *,
        part: Optional[slice] = None,
        if_match: Optional[Etag] = None,
        if_none_match: Optional[Etag] = None,
    ) -> Optional[Entry]:
        """The value with all that belongs to it; None when the key is absent. ConditionFailed when if_match does not
        hold, and when if_none_match says that nothing has changed."""
        headers = self._conditions(if_match, if_none_match)
        if part is not None:
            headers["Range"] = _range(part)
        answer = self._ask("GET", _path_of(key), headers)
        return self._read_entry(answer, 200 if part is None else 206)

    def head(self, key: Key) -> Optional[Entry]:
        """The same without the value."""
        return self._read_entry(self._ask("HEAD", _path_of(key), {}), 200)

    def exists(self, key: Key) -> bool:
        return self.head(key) is not None

    # ---- many keys ----

    def keys(self, prefix: Key = b"", *, after: Key = b"") -> Iterator[bytes]:
        """The keys that begin with the prefix, behind `after`, in byte order. They are asked for a page at a time: a key
        that is there all the time comes once, also when the server is started again meanwhile."""
        for row in self._rows(prefix, after, ""):
            yield _member(row, "key")

    def items(self, prefix: Key = b"", *, after: Key = b"") -> Iterator[Tuple[bytes, bytes]]:
        """The same, each with its value."""
        for row in self._rows(prefix, after, "&values=1&limit=100"):
            yield _member(row, "key"), _member(row, "value")

    def prefixes(self, prefix: Key = b"", *, delimiter: Key = b"/") -> Iterator[bytes]:
        """What the keys behind the prefix share, up to the delimiter and with it, each once: the folders of a folder. Not
        those keys that have no delimiter there."""
        for page in self._pages(prefix, b"", "&delimiter=" + quote(_to_bytes(delimiter), safe="")):
            texts = [text.encode() for text in page["prefixes"]]
            yield from sorted(texts + [base64.b64decode(text) for text in page.get("prefixes64", [])])

    def _rows(self, prefix: Key, after: Key, options: str) -> Iterator[Dict[str, Any]]:
        for page in self._pages(prefix, after, options):
            yield from page["keys"]

    def _pages(self, prefix: Key, after: Key, options: str) -> Iterator[Dict[str, Any]]:
        query = "/v1/kv?prefix=" + quote(_to_bytes(prefix), safe="") + options
        cursor = _to_bytes(after)
        while True:
            answer = self._ask("GET", f"{query}&after={quote(cursor, safe='')}", {})
            try:
                page = json.loads(answer.body)
                is_complete, last = page["complete"], _member(page, "after")
            except (ValueError, KeyError, TypeError) as error:
                raise NotRackKV(f"{self._url} lists no keys", False) from error
            yield page
            if is_complete:
                return
            cursor = last

    # ---- writes ----

    def put(
        self,
        key: Key,
        value: Value,
        *,
        ttl: Optional[TimeToLive] = None,
        expires: Optional[Moment] = None,
        content_type: Optional[str] = None,
        meta: Optional[Mapping[str, str]] = None,
        headers: Optional[Mapping[str, str]] = None,
        if_match: Optional[Etag] = None,
        if_none_match: Optional[Etag] = None,
        durability: Optional[str] = None,
    ) -> Written:
        """Stores a value in place of what was there with all that belonged to it. headers: what else is kept with it
        (Content-Encoding, Cache-Control, Content-Disposition, Content-Language)."""
        fields = self._options(if_match, if_none_match, durability, ttl, expires)
        if content_type is not None:
            fields["Content-Type"] = _header_value("content_type", content_type)
        for name, text in (headers or {}).items():
            fields[name] = _header_value(name, text)
        for name, text in (meta or {}).items():
            fields[_META + name] = _header_value(name, text)
        return self._read_written(self._ask("PUT", _path_of(key), fields, _to_bytes(value)))

    def delete(
        self, key: Key, *, if_match: Optional[Etag] = None, durability: Optional[str] = None
    ) -> Optional[Written]:
        """None when the key was absent."""
        answer = self._ask("DELETE", _path_of(key), self._options(if_match, None, durability))
        return None if answer.status == 404 else self._read_written(answer)

    def incr(
        self,
        key: Key,
        by: int = 1,
        *,
        if_match: Optional[Etag] = None,
        if_none_match: Optional[Etag] = None,
        durability: Optional[str] = None,
    ) -> int:
        """Adds to a decimal number of 64 bits (an absent key counts as 0), and returns the new one."""
        if not isinstance(by, int):
            raise TypeError(f"by: a whole number, not {type(by).__name__}")
        fields = self._options(if_match, if_none_match, durability)
        return int(self._ask("POST", _path_of(key, f"?op=incr&by={int(by)}"), fields).body)

    def append(
        self,
        key: Key,
        value: Value,
        *,
        if_match: Optional[Etag] = None,
        if_none_match: Optional[Etag] = None,
        durability: Optional[str] = None,
    ) -> Written:
        """Makes the value longer; an absent key is made."""
        fields = self._options(if_match, if_none_match, durability)
        return self._read_written(self._ask("POST", _path_of(key, "?op=append"), fields, _to_bytes(value)))

    def touch(
        self,
        key: Key,
        ttl: Optional[TimeToLive] = None,
        *,
        expires: Optional[Moment] = None,
        if_match: Optional[Etag] = None,
        durability: Optional[str] = None,
    ) -> Optional[Written]:
        """A new time to live (or none), the value as it is; None when the key is absent."""
        fields = self._options(if_match, None, durability, ttl, expires)
        answer = self._ask("POST", _path_of(key, "?op=touch"), fields)
        return None if answer.status == 404 else self._read_written(answer)

    def update(
        self, key: Key, change: Callable[[Optional[bytes]], Optional[Value]], *, attempts: int = 1000
    ) -> Optional[Written]:
        """Compare and set: writes what change() makes of the value (None: absent; returned: delete), if nobody has
        written meanwhile; else it begins anew. What else belongs to the value stays. ConditionFailed when that did not
        succeed so often; None when there was nothing to delete."""
        for attempt in range(attempts):
            try:
                return self._update_once(key, change)
            except ConditionFailed:
                if attempt + 1 == attempts:
                    raise
                time.sleep(random.uniform(0, min(0.001 * 2 ** min(attempt, 6), 0.05)))
        raise ValueError("attempts: at least one")

    def _update_once(self, key: Key, change: Callable[[Optional[bytes]], Optional[Value]]) -> Optional[Written]:
        old = self.entry(key)
        value = change(None if old is None else old.value)
        if value is None:
            return None if old is None else self.delete(key, if_match=old)
        if old is None:
            return self.put(key, value, if_none_match="*")
        kept = ("content-encoding", "cache-control", "content-disposition", "content-language")
        headers = {name: old.headers[name] for name in kept if name in old.headers}
        if headers.get("cache-control") == "no-cache":
            del headers["cache-control"]  # the server's own word where none was stored
        return self.put(
            key,
            value,
            expires=old.expires,
            content_type=old.content_type,
            meta=old.meta,
            headers=headers,
            if_match=old,
        )

    # ---- headers ----

    @staticmethod
    def _conditions(if_match: Optional[Etag], if_none_match: Optional[Etag]) -> Dict[str, str]:
        headers: Dict[str, str] = {}
        if if_match is not None:
            headers["If-Match"] = _header_value("if_match", _etags("if_match", if_match))
        if if_none_match is not None:
            headers["If-None-Match"] = _header_value("if_none_match", _etags("if_none_match", if_none_match))
        return headers

    def _options(
        self,
        if_match: Optional[Etag],
        if_none_match: Optional[Etag],
        durability: Optional[str],
        ttl: Optional[TimeToLive] = None,
        expires: Optional[Moment] = None,
    ) -> Dict[str, str]:
        headers = self._conditions(if_match, if_none_match)
        if durability is not None:
            headers["RackKV-Durability"] = _header_value("durability", durability)
        if ttl is not None:
            headers["RackKV-TTL"] = _header_value("ttl", _ttl(ttl))
        if expires is not None:
            headers["RackKV-Expires"] = _header_value("expires", _expires(expires))
        return headers

    # ---- answers ----

    def _read_entry(self, answer: _Answer, expected: int) -> Optional[Entry]:
        if answer.status == 404:
            return None
        if answer.status != expected:
            raise NotRackKV(f"{self._url} answered {answer.status}, not {expected}: it does not know ranges", False)
        headers = answer.headers
        size = headers.get("content-range", "").rpartition("/")[2] or headers.get("content-length", "0")
        expires = headers.get("rackkv-expires")
        prefix = _META.lower()
        return Entry(
            answer.body,
            int(size),
            headers.get("etag", ""),
            answer.seq() or 0,
            headers.get("content-type", ""),
            None if expires is None else int(expires),
            {name[len(prefix) :]: value for name, value in headers.items() if name.startswith(prefix)},
            headers,
        )

    @staticmethod
    def _read_written(answer: _Answer) -> Written:
        return Written(answer.headers.get("etag"), answer.seq() or 0, answer.status == 201)

    def _judge(self, method: str, answer: _Answer) -> None:
        """Raises what is wrong. A server that is none of RackKV's is known by what it does not say."""
        if answer.seq() is not None and (answer.status in (200, 201, 204, 206, 404)):
            return
        if answer.status == 304 and answer.seq() is not None:
            raise ConditionFailed(304, "not-modified", "the value is still the same", answer.headers.get("etag"))
        kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        if answer.status < 400 or answer.status == 404 or kind != "application/problem+json":
            raise NotRackKV(f"{self._url} is no RackKV server: it answered {answer.status}", method not in _SAFE)
        self._refuse(method, answer)

    def _refuse(self, method: str, answer: _Answer) -> None:
        code, detail = "refused", "without words"
        try:
            problem = json.loads(answer.body)
            places = [f" ({name} {problem[name]})" for name in ("header", "parameter", "limit") if name in problem]
            code, detail = str(problem["code"]), str(problem.get("detail", "")) + "".join(places)
        except (ValueError, KeyError, TypeError):  # the answer to HEAD has none
            pass
        if answer.status == 412:
            raise ConditionFailed(412, code, detail, answer.headers.get("etag"))
        error = Denied if answer.status in (401, 403) else Refused
        raise error(answer.status, code, detail, answer.may_have_happened(method))

    # ---- requests ----

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> _Answer:
        """Sends it, and again where that is harmless."""
        for attempt in range(1, self._attempts + 1):
            is_last = attempt == self._attempts
            try:
                answer = self._send(method, path, headers, body)
            except Unreachable as error:
                if error.may_have_happened or is_last:
                    raise
                time.sleep(random.uniform(0, 0.05 * attempt))
                continue
            if answer.status == 503 and answer.headers.get("rackkv-outcome") == "none" and not is_last:
                time.sleep(self._patience(answer, attempt))
                continue
            break
        self._judge(method, answer)
        return answer

    @staticmethod
    def _patience(answer: _Answer, attempt: int) -> float:
        """Retry-After is in whole seconds; the first attempts are made sooner, since most of it is over soon."""
        text = answer.headers.get("retry-after", "1")
        asked = float(text) if text.isascii() and text.isdigit() else 1.0
        return min(asked, random.uniform(0.5, 1.0) * 0.05 * (1 << 2 * attempt))

    def _take(self) -> Tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        with self._lock:
            if self._pid != os.getpid():  # the parent's connections are the parent's; here only copies are closed
                for connection in self._idle:
                    connection.close()
                self._idle, self._pid = [], os.getpid()
            while self._idle:
                connection = self._idle.pop()
                if not _is_closed(connection.sock):
                    return connection, True
                connection.close()
        if self._socket_path is not None:
            return _UnixConnection(self._socket_path, self._timeout), False
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout), False

    def _give_back(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        if answer.will_close or connection.sock is None:
            connection.close()
            return
        with self._lock:
            if self._pid == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
            if connection.sock is not None and self._socket_path is None:
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            raise Unreachable(f"{self._url} can't be reached: {error}", False) from error

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> _Answer:
        connection, was_used = self._take()
        if not was_used:
            self._connect(connection)
        try:
            response = self._exchange(connection, method, path, headers, body)
            content = response.read()
            if content and response.length is None and not response.chunked:
                raise http.client.HTTPException("it does not say where it ends")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            text = str(error) or type(error).__name__
            raise Unreachable(f"{self._url} gave no whole answer: {text}", method not in _SAFE) from error
        except BaseException:
            connection.close()
            raise
        fields = {name.lower(): _read_header(value) for name, value in response.getheaders()}
        self._give_back(connection, response)
        return _Answer(response.status, fields, content)

    @staticmethod
    def _exchange(
        connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> http.client.HTTPResponse:
        has_body = method in ("PUT", "POST")
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if has_body:
            connection.putheader("Content-Length", str(len(body)))
        try:
            connection.endheaders(body if has_body else None)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what the head alone decides may have been answered before the body was taken
        return connection.getresponse()
