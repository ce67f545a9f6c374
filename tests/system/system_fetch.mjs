// One key with node's fetch as it comes. Argument: the URL of the server.
import process from 'node:process';

const base = process.argv[2];
let checks = 0;

function same(got, expected) {
    if (JSON.stringify(got) !== JSON.stringify(expected))
        throw new Error(`${JSON.stringify(got)}, not ${JSON.stringify(expected)}`);
    checks++;
}

async function ask(method, target, expected, body, headers = {}) {
    const answer = await fetch(base + target, { method, body, headers, duplex: 'half' });
    const content = new Uint8Array(await answer.arrayBuffer());
    if (answer.status !== expected)
        throw new Error(`${method} ${target}: ${answer.status}, not ${expected}: ${new TextDecoder().decode(content)}`);
    checks++;
    return { head: answer.headers, content, text: new TextDecoder().decode(content) };
}

const key = '/v1/kv/' + encodeURIComponent('fetch/ü key');
const value = Uint8Array.from({ length: 70000 }, (_, i) => i % 251);
const put = await ask('PUT', key, 201, value, { 'Content-Type': 'image/png', 'RackKV-Meta-Who': 'ada' });
const etag = put.head.get('etag');
let got = await ask('GET', key, 200);
same(Buffer.compare(got.content, value), 0);
same([got.head.get('content-type'), got.head.get('rackkv-meta-who'), got.head.get('etag')], ['image/png', 'ada', etag]);
got = await ask('HEAD', key, 200);
same([got.content.length, got.head.get('content-length')], [0, '70000']);
got = await ask('GET', key, 206, undefined, { Range: 'bytes=5-9' });
same([[...got.content], got.head.get('content-range')], [[5, 6, 7, 8, 9], 'bytes 5-9/70000']);
await ask('GET', key, 304, undefined, { 'If-None-Match': etag });
await ask('PUT', key, 412, 'new', { 'If-Match': '"1"' });
await ask('PUT', key, 204, JSON.stringify({ a: 1 }), { 'If-Match': etag, 'Content-Type': 'application/json' });
same(JSON.parse((await ask('GET', key, 200)).text), { a: 1 });
await ask('PUT', key, 204, new Blob(['in chunks']).stream());
same((await ask('GET', key, 200)).text, 'in chunks');
same((await ask('POST', '/v1/kv/fetch-n?op=incr&by=7', 200)).text, '7');
await ask('POST', key + '?op=append', 200, ', and more');
await ask('POST', key + '?op=touch&ttl=10m', 204);
got = await ask('GET', key, 200);
same([got.text, got.head.has('rackkv-expires')], ['in chunks, and more', true]);
const many = Array.from({ length: 100 }, (_, i) => ask('PUT', `/v1/kv/fetch-${i}`, 201, String(i)));
await Promise.all(many);
await ask('DELETE', key, 204);
await ask('GET', key, 404);
console.log(`${checks} checks`);
