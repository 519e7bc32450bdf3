// A far side on node's http: says each request it understood as a line of JSON on stdout.
// Bytes are written as Latin-1 characters, so that none is lost.
import http from 'node:http';

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const headers = [];
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      headers.push([request.rawHeaders[at], request.rawHeaders[at + 1]]);
    }
    const body = Buffer.concat(parts).toString('latin1');
    const seen = { method: request.method, target: request.url, headers, body };
    process.stdout.write(JSON.stringify(seen) + '\n');
    response.end('seen\n');
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
