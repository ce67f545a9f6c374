"""One key with Python's http.client as it comes, over one connection. Arguments: host, port."""

import http.client
import sys

connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=60)
n_checks = 0


def ask(method, target, body=None, expected=200, **headers):
    global n_checks
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body, fields)
    response = connection.getresponse()
    content = response.read()
    if response.status != expected:
        sys.exit(f"{method} {target} {fields}: {response.status}, not {expected}: {content!r}")
    n_checks += 1
    return response, content


def same(got, expected):
    global n_checks
    if got != expected:
        sys.exit(f"{got!r}, not {expected!r}")
    n_checks += 1


key = "/v1/kv/http.client%2Fkey"
value = bytes(range(256)) * 100
response, _ = ask("PUT", key, value, 201, Content_Type="image/png", RackKV_Meta_Who="ada")
etag = response.getheader("ETag")
socket = connection.sock
response, content = ask("GET", key)
same(content, value)
same((response.getheader("Content-Type"), response.getheader("RackKV-Meta-Who")), ("image/png", "ada"))
same(response.getheader("ETag"), etag)
response, content = ask("HEAD", key)
same((content, response.getheader("Content-Length")), (b"", str(len(value))))
response, content = ask("GET", key, expected=206, Range="bytes=10-19")
same((content, response.getheader("Content-Range")), (value[10:20], f"bytes 10-19/{len(value)}"))
same(ask("GET", key, expected=304, If_None_Match=etag)[1], b"")
ask("PUT", key, b"new", 412, If_Match='"1"')
same(connection.sock is socket, True)  # no answer has closed it
response, _ = ask("PUT", key, iter([b"in ", b"chunks"]), 204, If_Match=etag)
same(response.getheader("Connection"), "close")  # chunks are the last of a connection
same(ask("GET", key)[1], b"in chunks")
same(ask("POST", "/v1/kv/http.client%2Fn?op=incr&by=7")[1], b"7")
ask("POST", key + "?op=append", b", and more", 200)
ask("POST", key + "?op=touch&ttl=10m", None, 204)
response, content = ask("GET", key)
same((content, response.getheader("RackKV-Expires") is not None), (b"in chunks, and more", True))
ask("DELETE", key, expected=204)
ask("GET", key, expected=404)
ask("DELETE", key, expected=404)
connection.close()
print(f"{n_checks} checks")
