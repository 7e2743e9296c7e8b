// Connect, gRPC and gRPC-web clients in Node, unchanged, call depot.ci.v1.CIService.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { descriptors } from './descriptors.mjs';
import { startServer } from './server.mjs';

const require = createRequire(`${process.env.TAPPET_NODE_PACKAGES}/`);
const { createClient, ConnectError, Code } = require('@connectrpc/connect');
const { createConnectTransport, createGrpcTransport, createGrpcWebTransport } = require('@connectrpc/connect-node');

const WORKFLOW = `
on: push
jobs:
  greet:
    runs-on: ubuntu-latest
    steps:
      - name: Greet
        run: |
          echo hello
          echo oops >&2
`;

let server;
let service;

before(async () => {
  server = await startServer();
  const source = mkdtempSync(join(tmpdir(), 'tappet-connect-'));
  writeFileSync(join(source, 'README.md'), 'a project\n');
  const git = (...words) =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...words], {
      cwd: source,
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Initial commit');
  const made = await fetch(`${server.url}/api/v4/projects`, {
    method: 'POST',
    headers: { 'private-token': server.token, 'content-type': 'application/json' },
    body: JSON.stringify({ path: 'acme/web', import_url: source }),
  });
  assert.equal(made.status, 201);
  service = descriptors('depot/ci/v1/ci.proto').service('depot.ci.v1.CIService');
});

after(async () => assert.equal(await server.stop(), 0));

function authorized(token) {
  return (next) => (request) => {
    request.header.set('authorization', `Bearer ${token}`);
    return next(request);
  };
}

const TRANSPORTS = {
  'Connect with JSON over HTTP/1.1': (options) =>
    createConnectTransport({ ...options, httpVersion: '1.1', useBinaryFormat: false }),
  'Connect with proto over HTTP/1.1': (options) =>
    createConnectTransport({ ...options, httpVersion: '1.1', useBinaryFormat: true }),
  'Connect with JSON over HTTP/2': (options) =>
    createConnectTransport({ ...options, httpVersion: '2', useBinaryFormat: false }),
  'Connect with proto over HTTP/2': (options) =>
    createConnectTransport({ ...options, httpVersion: '2', useBinaryFormat: true }),
  'gRPC over HTTP/2': (options) => createGrpcTransport(options),
  'gRPC-web over HTTP/1.1': (options) => createGrpcWebTransport({ ...options, httpVersion: '1.1' }),
};

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  const client = (token = server.token) =>
    createClient(service, transport({ baseUrl: server.url, interceptors: [authorized(token)] }));

  test(`${name}: a run is started, followed and read`, async () => {
    const api = client();
    const { orgId, runId } = await api.run({ repo: 'acme/web', workflowContent: [WORKFLOW] });
    assert.equal(orgId, 'org_1');
    const status = await api.getRunStatus({ runId });
    const [job] = status.workflows[0].jobs;
    assert.equal(job.jobKey, '_inline_0.yaml:greet');

    const bodies = [];
    let last = '';
    for await (const { line, attemptStatus } of api.streamJobAttemptLogs({ jobId: job.jobId })) {
      if (line) bodies.push([line.stream, line.body, line.stepName]);
      last = attemptStatus;
    }
    assert.equal(last, 'finished');
    assert.deepEqual(
      bodies.filter(([, body]) => ['hello', 'oops'].includes(body)).sort(),
      [[0, 'hello', 'Greet'], [1, 'oops', 'Greet']],
    );

    const run = await api.getRun({ runId });
    assert.deepEqual([run.repo, run.trigger, run.status], ['acme/web', 'api', 'finished']);
    const [attempt] = job.attempts;
    const exported = [];
    for await (const { event } of api.exportJobAttemptLogs({ attemptId: attempt.attemptId, format: 2 })) {
      exported.push(event);
    }
    assert.equal(exported[0].case, 'metadata');
    assert.equal(exported[0].value.contentType, 'application/x-ndjson; charset=utf-8');
    const text = Buffer.concat(exported.slice(1).map(({ value }) => value)).toString();
    const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.ok(lines.some(({ body, stream }) => body === 'hello' && stream === 0), text);
  });

  test(`${name}: refusals have Depot's codes`, async () => {
    const refused = async (call, code) => {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof ConnectError, String(error));
        assert.equal(Code[error.code], Code[code], error.message);
        return true;
      });
    };
    await refused(client('nobody').getRun({ runId: 'r1' }), Code.Unauthenticated);
    await refused(client().getRun({ runId: 'r999999' }), Code.NotFound);
    await refused(client().run({ repo: 'acme/nothing', workflowContent: [WORKFLOW] }), Code.NotFound);
    await refused(client().run({ repo: 'acme/web', sha: 'b2f5ff47436671b6e533d8dc3614845d' }), Code.InvalidArgument);
    const stream = async (request) => {
      for await (const message of client().streamJobAttemptLogs(request)) assert.fail(String(message));
    };
    await refused(stream({}), Code.InvalidArgument);
    await refused(stream({ attemptId: 'a999999' }), Code.NotFound);
  });
}
