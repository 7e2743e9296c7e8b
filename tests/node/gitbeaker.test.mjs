// @gitbeaker/rest 43.8, unchanged, starts and steers pipelines on Tappet.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startServer } from './server.mjs';

const require = createRequire(`${process.env.TAPPET_NODE_PACKAGES}/`);
const { Gitlab } = require('@gitbeaker/rest');

const FILE = `
build:
  script: ['mkdir out', 'echo "made for $CUSTOMER" > out/result.txt', 'cat out/result.txt']
  artifacts: {paths: [out/]}
ask:
  script: ['echo asked']
  when: manual
`;

let server;
let api;
let project;

before(async () => {
  server = await startServer();
  api = new Gitlab({ host: server.url, token: server.token });
  const source = repository({ '.gitlab-ci.yml': FILE });
  project = await api.Projects.create({ path: 'clients/node', importUrl: source });
});

after(async () => assert.equal(await server.stop(), 0));

function repository(files) {
  const directory = mkdtempSync(join(tmpdir(), 'tappet-node-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...words) =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...words], { cwd: directory, env });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Initial commit');
  return directory;
}

async function until(look, reached) {
  const end = Date.now() + 30_000;
  for (;;) {
    const seen = await look();
    if (reached(seen)) return seen;
    assert.ok(Date.now() < end, `still ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return { status: error.cause?.response?.status, description: error.cause?.description };
  }
  return assert.fail('the call was not refused');
}

test('a trigger token starts a pipeline with variables', async () => {
  const trigger = await api.PipelineTriggerTokens.create(project.id, 'nightly');
  const started = await api.PipelineTriggerTokens.trigger(project.id, 'main', trigger.token, {
    variables: { CUSTOMER: 'Ada' },
  });
  assert.equal(started.status, 'created');
  const pipeline = await until(
    () => api.Pipelines.show(project.id, started.id),
    (seen) => ['success', 'failed'].includes(seen.status),
  );
  assert.equal(pipeline.status, 'success');
  const jobs = await api.Jobs.all(project.id, { pipelineId: pipeline.id });
  const build = jobs.find((job) => job.name === 'build');
  assert.match(await api.Jobs.showLog(project.id, build.id), /made for Ada/);
  const variables = await api.Pipelines.allVariables(project.id, pipeline.id);
  assert.equal(variables.find((variable) => variable.key === 'CUSTOMER').value, 'Ada');
});

test('a trigger works without variables, which sends an empty JSON body', async () => {
  const trigger = await api.PipelineTriggerTokens.create(project.id, 'plain');
  const started = await api.PipelineTriggerTokens.trigger(project.id, 'main', trigger.token);
  assert.equal(started.source, 'trigger');
});

test('tokens are shown, edited and removed', async () => {
  const made = await api.PipelineTriggerTokens.create(project.id, 'first');
  await api.PipelineTriggerTokens.edit(project.id, made.id, { description: 'second' });
  assert.equal((await api.PipelineTriggerTokens.show(project.id, made.id)).description, 'second');
  await api.PipelineTriggerTokens.remove(project.id, made.id);
  const refused = await refusal(api.PipelineTriggerTokens.trigger(project.id, 'main', made.token));
  assert.deepEqual(refused, { status: 404, description: '404 Not Found' });
});

test('all pages of a list are walked', async () => {
  for (let index = 0; index < 5; index += 1) await api.Pipelines.create(project.id, 'main');
  const pipelines = await api.Pipelines.all(project.id, { perPage: 2 });
  assert.ok(pipelines.length >= 5);
  assert.equal(new Set(pipelines.map((one) => one.id)).size, pipelines.length);
});

test('a pipeline is canceled, retried and deleted', async () => {
  const made = await api.Pipelines.create(project.id, 'main', {
    variables: [{ key: 'CUSTOMER', value: 'Bob' }],
  });
  await api.Pipelines.cancel(project.id, made.id);
  await until(() => api.Pipelines.show(project.id, made.id), (seen) => seen.status === 'canceled');
  await api.Pipelines.retry(project.id, made.id);
  await until(() => api.Pipelines.show(project.id, made.id), (seen) => seen.status === 'success');
  const jobs = await api.Jobs.all(project.id, { pipelineId: made.id });
  const ask = jobs.find((job) => job.name === 'ask');
  assert.equal((await api.Jobs.play(project.id, ask.id)).id, ask.id);
  await until(() => api.Jobs.show(project.id, ask.id), (seen) => seen.status === 'success');
  await api.Pipelines.remove(project.id, made.id);
  assert.equal((await refusal(api.Pipelines.show(project.id, made.id))).status, 404);
});

test('schedules and their variables are kept', async () => {
  const made = await api.PipelineSchedules.create(project.id, 'nightly', 'main', '0 1 * * *');
  await api.PipelineScheduleVariables.create(project.id, made.id, 'FROM', 'schedule');
  const shown = await api.PipelineSchedules.show(project.id, made.id);
  assert.equal(shown.variables[0].value, 'schedule');
  await api.PipelineSchedules.edit(project.id, made.id, { active: false });
  await api.PipelineSchedules.run(project.id, made.id);
  await api.PipelineSchedules.remove(project.id, made.id);
  assert.deepEqual(await api.PipelineSchedules.all(project.id), []);
});

test('variables are kept with the names that the caller gave', async () => {
  await api.ProjectVariables.create(project.id, 'CamelCase', 'value');
  assert.equal((await api.ProjectVariables.show(project.id, 'CamelCase')).value, 'value');
  await api.ProjectVariables.edit(project.id, 'CamelCase', 'other');
  await api.ProjectVariables.remove(project.id, 'CamelCase');
  assert.deepEqual(await api.ProjectVariables.all(project.id), []);
});

test('branches, commits and statuses are shown', async () => {
  const branch = await api.Branches.show(project.id, 'main');
  assert.equal(branch.default, true);
  const commit = await api.Commits.show(project.id, branch.commit.id);
  await api.Commits.editStatus(project.id, commit.id, 'success', { name: 'outside' });
  const statuses = await api.Commits.allStatuses(project.id, commit.id);
  assert.ok(statuses.some((status) => status.name === 'outside' && status.status === 'success'));
});

test('a file is checked', async () => {
  const result = await api.Lint.lint(project.id, { contentRef: 'main' }).catch(() => null);
  assert.ok(result === null || result.valid);
  const checked = await api.Lint.check(project.id, 'job: {script: [make]}');
  assert.equal(checked.valid, true);
});

test('members and protected branches are kept', async () => {
  const user = await api.Users.create({
    email: 'node@example.com', username: 'node', name: 'Node', password: 'correct horse battery', skipConfirmation: true,
  });
  await api.ProjectMembers.add(project.id, 30, { userId: user.id });
  const members = await api.ProjectMembers.all(project.id);
  assert.ok(members.some((member) => member.username === 'node' && member.access_level === 30));
  await api.ProtectedBranches.protect(project.id, 'release/*');
  await api.ProtectedBranches.unprotect(project.id, 'release/*');
  await api.ProjectMembers.remove(project.id, user.id);
});
