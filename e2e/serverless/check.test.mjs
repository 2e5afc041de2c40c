// Runs the check before a deployment in directories where something is missing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { environment, ledger, names, original, pages, root } from './fixture.mjs';

const check = path.join(root, 'tools', 'check-tencent.sh');

// tree creates a directory with serverless.yml, the check, and stand-ins for the binaries.
function tree(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'giftstats-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const project = path.join(folder, 'a b', 'project');
  fs.mkdirSync(path.join(project, 'dist/tencent'), { recursive: true });
  fs.mkdirSync(path.join(project, 'tools'));
  fs.writeFileSync(path.join(project, 'serverless.yml'), original);
  fs.copyFileSync(check, path.join(project, 'tools/check-tencent.sh'));
  for (const name of ['api', 'streamend']) fs.writeFileSync(path.join(project, 'dist/tencent', name), 'binary', { mode: 0o755 });
  const run = (environ, ...args) => {
    try {
      const stdout = execFileSync('sh', [path.join(project, 'tools/check-tencent.sh'), ...args], {
        env: { PATH: process.env.PATH, ...environ },
        encoding: 'utf8',
        stdio: 'pipe',
      });
      return { status: 0, stdout, stderr: '' };
    } catch (error) {
      return { status: error.status, stdout: error.stdout, stderr: error.stderr };
    }
  };
  return { project, run };
}

test('the check lets a complete environment through', t => {
  const { run } = tree(t);
  assert.deepEqual(run(environment), { status: 0, stdout: '', stderr: '' });
});

test('the check names all that is missing at once, with an example each', t => {
  const { project, run } = tree(t);
  fs.rmSync(path.join(project, 'dist'), { recursive: true });
  const { status, stderr } = run({});
  assert.equal(status, 1);
  for (const name of names) {
    if (name in ledger || name in pages) assert.doesNotMatch(stderr, new RegExp(name), `${name} is optional`);
    else assert.match(stderr, new RegExp(`^${name} is not set or empty\\. .*${name}=`, 'm'));
  }
  for (const name of ['api', 'streamend'])
    assert.match(stderr, new RegExp(`^dist/tencent/${name} is missing\\. Build it: make build$`, 'm'));
});

test('the check of the origins of web pages', t => {
  const { run } = tree(t);
  assert.deepEqual(run({ ...environment, ...pages }), { status: 0, stdout: '', stderr: '' });
  const { status, stderr } = run({ ...environment, GIFTSTATS_CORS_ORIGINS: '' });
  assert.equal(status, 1);
  assert.match(stderr, /^GIFTSTATS_CORS_ORIGINS is set but empty\. Remove it, or set it\. .*GIFTSTATS_CORS_ORIGINS=https:/m);
});

test('the check of the ledger', t => {
  const { project, run } = tree(t);
  const complete = { ...environment, ...ledger };
  assert.deepEqual(run(complete), { status: 0, stdout: '', stderr: '' });
  const elsewhere = { ...environment, GIFTSTATS_LEDGER: 'rediss://redis.example:6380/0' };
  assert.equal(run(elsewhere).status, 0, 'a database with a public address needs no private network');
  for (const [without, complaint] of Object.entries({
    TENCENT_VPC: /^TENCENT_VPC is missing, but GIFTSTATS_LEDGER is a private address\. .*TENCENT_VPC=/m,
    TENCENT_SUBNET: /^TENCENT_SUBNET is missing, but TENCENT_VPC is set\. .*TENCENT_SUBNET=/m,
  })) {
    const { status, stderr } = run({ ...complete, [without]: undefined });
    assert.equal(status, 1);
    assert.match(stderr, complaint);
  }
  assert.match(run({ ...elsewhere, TENCENT_SUBNET: 'subnet-1' }).stderr, /^TENCENT_VPC is missing, but TENCENT_SUBNET is set/m);
  assert.match(run({ ...complete, GIFTSTATS_LEDGER: '10.0.0.7:6379' }).stderr, /^GIFTSTATS_LEDGER must start with redis:\/\/ or rediss:/m);
  for (const name of Object.keys(ledger)) {
    assert.match(run({ ...environment, [name]: '' }).stderr, new RegExp(`^${name} is set but empty\\. Remove it, or set it\\. .*${name}=`, 'm'));
  }
  fs.writeFileSync(path.join(project, '.env'), 'GIFTSTATS_LEDGER=');
  assert.match(run(environment).stderr, /^GIFTSTATS_LEDGER is set but empty/m);
  fs.rmSync(path.join(project, '.env'));
  const { status, stderr } = run({ ...complete, GIFTSTATS_LEDGER: 'redis://:not-real@10.0.0.7:6379/0' });
  assert.equal(status, 1);
  assert.match(stderr, /^GIFTSTATS_LEDGER must not contain a user or password/m);
  assert.doesNotMatch(stderr, /not-real/);
});

test('the check follows serverless.yml', t => {
  const { project, run } = tree(t);
  const file = path.join(project, 'serverless.yml');
  fs.writeFileSync(file, original.replace('GIFTSTATS_AUTH: api-key', 'GIFTSTATS_AUTH: ${env:NEW_ONE}${env:NEW_TWO} # not ${env:COMMENT}'));
  const { status, stderr } = run(environment);
  assert.equal(status, 1);
  assert.match(stderr, /^NEW_ONE is not set[^]*^NEW_TWO is not set/m);
  assert.doesNotMatch(stderr, /COMMENT/);
});

test('the check refuses blanks, the secret itself, what cannot be executed, and what does not belong there', t => {
  const { project, run } = tree(t);
  assert.match(run({ ...environment, GIFTSTATS_ENDPOINT: '  ' }).stderr, /^GIFTSTATS_ENDPOINT is not set or empty/m);
  const { stderr } = run({ ...environment, GIFTSTATS_SECRET: '{"secret_key":"not-real"}' });
  assert.match(stderr, /^GIFTSTATS_SECRET must be the address of the secret/m);
  assert.doesNotMatch(stderr, /not-real/);
  fs.chmodSync(path.join(project, 'dist/tencent/api'), 0o644);
  fs.truncateSync(path.join(project, 'dist/tencent/streamend'));
  fs.writeFileSync(path.join(project, 'dist/tencent/.env'), '');
  assert.match(
    run(environment).stderr,
    /^dist\/tencent\/api is not executable[^]*^dist\/tencent\/streamend is empty[^]*^dist\/tencent\/\.env would be uploaded too/m,
  );
});

test('the check reads the file of variables that the CLI reads', t => {
  const { project, run } = tree(t);
  const lines = Object.entries(environment)
    .map(([name, value], index) => `${name}=${index % 2 ? value : `"${value}"`}`)
    .join('\n');
  fs.writeFileSync(path.join(project, '.env'), lines);
  assert.equal(run({}).status, 0);
  assert.match(run({ TENCENT_REGION: '' }).stderr, /^TENCENT_REGION is not set or empty/m);
  fs.writeFileSync(path.join(project, '.env.test'), 'TENCENT_REGION=ap-jakarta');
  assert.match(run({}, 'check', 'test').stderr, /^TENCENT_API_ROLE is not set or empty[^]*in \.\/\.env\.test/m);
});

test('after the first deploy: the calls that set quotas and retries', t => {
  const { run } = tree(t);
  const calls = run(environment, 'after')
    .stdout.split('\n')
    .filter(line => line && !line.startsWith('#'));
  const where = '--region ap-singapore --Namespace default --FunctionName';
  assert.deepEqual(calls, [
    `tccli scf PutReservedConcurrencyConfig ${where} giftstats-prod-api --ReservedConcurrencyMem 640`,
    `tccli scf PutReservedConcurrencyConfig ${where} giftstats-prod-webhook --ReservedConcurrencyMem 12800`,
    `tccli scf PutReservedConcurrencyConfig ${where} giftstats-prod-streamend --ReservedConcurrencyMem 512`,
    `tccli scf UpdateFunctionEventInvokeConfig ${where} giftstats-prod-streamend --AsyncTriggerConfig '{"RetryConfig":[{"RetryNum":2}],"MsgTTL":21600}'`,
    `tccli scf PutReservedConcurrencyConfig ${where} giftstats-prod-sweep --ReservedConcurrencyMem 128`,
    `tccli scf UpdateFunctionEventInvokeConfig ${where} giftstats-prod-sweep --AsyncTriggerConfig '{"RetryConfig":[{"RetryNum":0}],"MsgTTL":60}'`,
  ]);
  assert.match(run({}, 'after').stderr, /^TENCENT_REGION is not set/);
});
