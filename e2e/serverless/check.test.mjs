// Runs the check before a deployment with variables that are missing or wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { references } from '../../tools/tencent-deploy/serverless.mjs';
import { environment, go, ledger, original, pages, project, root, spawned } from './fixture.mjs';

const nothing = Object.fromEntries(Object.keys(environment).map(name => [name, undefined]));

// mistakes runs the check, which must fail, and returns its report.
async function mistakes({ run }, environ, ...args) {
  const { status, stdout, stderr } = await run('check', environ, ...args);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  return stderr;
}

const fine = { status: 0, stdout: '', stderr: '' };

test('the check lets a complete environment through', async t => {
  assert.deepEqual(await project(t).run('check', environment), fine);
});

test('make checks before it builds', async () => {
  const env = { ...go, ...environment, GIFTSTATS_ENDPOINT: 'singapur' };
  const { status, stdout, stderr } = await spawned('make', ['deploy-tencent'], { cwd: root, env });
  assert.notEqual(status, 0);
  assert.match(stderr, /^GIFTSTATS_ENDPOINT must be a region/m);
  assert.doesNotMatch(stdout, /^Building|go build/m);
});

test('the check names all that is missing at once, with an example each', async t => {
  const report = await mistakes(project(t), { ...nothing, TENCENT_SECRET_ID: undefined, TENCENT_SECRET_KEY: undefined });
  for (const { name } of references(original)) {
    if (name in environment) assert.match(report, new RegExp(`^${name} is missing or empty\\. .*${name}=`, 'm'));
    else assert.doesNotMatch(report, new RegExp(`^${name} `, 'm'), 'an optional variable is missing');
  }
  assert.match(report, /^TENCENT_SECRET_ID is missing or empty\./m);
  assert.match(report, /^TENCENT_SECRET_KEY is missing or empty\./m);
  assert.match(report, /^Nothing was done\. Set variables in the environment, or in \.env as NAME=value/m);
});

test('the check reports all wrong values at once, as the program would when it starts', async t => {
  const wrong = {
    TENCENT_REGION: 'Singapore',
    GIFTSTATS_SECRET: 'env://not-real',
    GIFTSTATS_ENDPOINT: 'singapur',
    GIFTSTATS_DELIVER: 'htps://example.com/not-real',
    GIFTSTATS_LEDGER: 'redis://8.8.8.8:6379/0',
    GIFTSTATS_LEDGER_RETENTION: '400 days',
    TENCENT_VPC: 'vpc-1',
    TENCENT_SUBNET: 'subnet-1',
  };
  const report = await mistakes(project(t), { ...environment, ...wrong });
  for (const line of [
    /^TENCENT_REGION must be a region of Tencent Cloud, such as ap-singapore\.$/m,
    /^GIFTSTATS_SECRET must be the address of the secret, not the secret itself/m,
    /^GIFTSTATS_ENDPOINT must be a region \(china, .*singapore, .*\) or an https:\/\/ URL\.$/m,
    /^GIFTSTATS_DELIVER must have the form log:\/\/, https:/m,
    /^GIFTSTATS_LEDGER must start with rediss:\/\//m,
    /^GIFTSTATS_LEDGER_RETENTION must be a duration with a unit/m,
  ]) {
    assert.match(report, line);
  }
  assert.equal(report.trim().split('\n').length, 7, `each mistake has one line, although four functions have it:\n${report}`);
  assert.doesNotMatch(report, /not-real/, 'the report repeats a value');
});

test('the check of the origins of web pages', async t => {
  const world = project(t);
  assert.deepEqual(await world.run('check', { ...environment, ...pages }), fine);
  assert.match(
    await mistakes(world, { ...environment, GIFTSTATS_CORS_ORIGINS: '' }),
    /^GIFTSTATS_CORS_ORIGINS is set but empty\. Remove it, or set it\. .*GIFTSTATS_CORS_ORIGINS=https:/m,
  );
});

test('the check of the ledger', async t => {
  const world = project(t);
  const complete = { ...environment, ...ledger };
  assert.deepEqual(await world.run('check', complete), fine);
  const elsewhere = { ...environment, GIFTSTATS_LEDGER: 'rediss://redis.example:6380/0' };
  assert.deepEqual(await world.run('check', elsewhere), fine, 'a database with a public address needs no private network');
  for (const [without, complaint] of Object.entries({
    TENCENT_VPC: /^TENCENT_VPC is missing, but GIFTSTATS_LEDGER is a private address\. .*TENCENT_VPC=/m,
    TENCENT_SUBNET: /^TENCENT_SUBNET is missing, but TENCENT_VPC is set\. .*TENCENT_SUBNET=/m,
  })) {
    assert.match(await mistakes(world, { ...complete, [without]: undefined }), complaint);
  }
  assert.match(await mistakes(world, { ...elsewhere, TENCENT_SUBNET: 'subnet-1' }), /^TENCENT_VPC is missing, but TENCENT_SUBNET is set/m);
  assert.match(await mistakes(world, { ...complete, GIFTSTATS_LEDGER: '10.0.0.7:6379' }), /^GIFTSTATS_LEDGER must have the form rediss?:/m);
  for (const name of Object.keys(ledger)) {
    const report = await mistakes(world, { ...environment, [name]: '' });
    assert.match(report, new RegExp(`^${name} is set but empty\\. Remove it, or set it\\.`, 'm'));
  }
  world.write('.env', 'GIFTSTATS_LEDGER=');
  assert.match(await mistakes(world, environment), /^GIFTSTATS_LEDGER is set but empty/m);
  const report = await mistakes(world, { ...complete, GIFTSTATS_LEDGER: 'redis://:not-real@10.0.0.7:6379/0' });
  assert.match(report, /^GIFTSTATS_LEDGER must not contain a user or password/m);
  assert.doesNotMatch(report, /not-real/);
});

test('the check follows serverless.yml', async t => {
  const text = original
    .replace('GIFTSTATS_AUTH: api-key', 'GIFTSTATS_AUTH: ${env:NEW_ONE}${env:NEW_TWO} # not ${env:COMMENT}')
    .replace("GIFTSTATS_RATE_LIMIT: '9'", 'GIFTSTATS_BASE_PATH: ${env:NEW_THREE}\n          GIFTSTATS_RATE_LIMIT: fast');
  const report = await mistakes(project(t, { text }), environment);
  assert.match(report, /^NEW_ONE is missing[^]*^NEW_TWO is missing/m);
  assert.match(report, /^serverless\.yml, function api: GIFTSTATS_RATE_LIMIT must be a number/m);
  assert.doesNotMatch(report, /COMMENT|NEW_THREE/, 'without a variable that is the whole value, its key is removed');
});

test('the check refuses blanks and the secret itself', async t => {
  const world = project(t);
  assert.match(await mistakes(world, { ...environment, GIFTSTATS_ENDPOINT: '  ' }), /^GIFTSTATS_ENDPOINT is missing or empty/m);
  const report = await mistakes(world, { ...environment, GIFTSTATS_SECRET: '{"secret_key":"not-real"}' });
  assert.match(report, /^GIFTSTATS_SECRET must be the address of the secret/m);
  assert.doesNotMatch(report, /not-real/);
});

test('the check refuses credentials that an error could quote', async t => {
  const world = project(t);
  for (const name of ['TENCENT_SECRET_ID', 'TENCENT_SECRET_KEY', 'TENCENT_TOKEN']) {
    const { status, stdout, stderr } = await world.run('plan', { ...environment, [name]: 'not-real\nat all\n' });
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`^${name} must have only Latin letters, digits and punctuation`, 'm'));
    assert.doesNotMatch(stdout + stderr, /not-real|at all/);
  }
});

test('the check refuses a stage that cannot be a part of a name', async t => {
  const world = project(t);
  for (const stage of ['te/st', '-test', '测试', 'x'.repeat(41)]) {
    assert.match(await mistakes(world, environment, stage), /^STAGE must have 1 to 40 letters, digits, - and _/m);
  }
  assert.deepEqual(await world.run('check', environment, 'x'.repeat(40)), fine);
});

test('the check reads .env, and the file of the stage instead if there is one', async t => {
  const world = project(t);
  const lines = Object.entries(environment).map(([name, value], index) => `${name}=${[value, `"${value}"`, `'${value}'`][index % 3]}`);
  world.write('.env', `# comment\nexport ${lines.join('\n')}\n`);
  assert.deepEqual(await world.run('check', nothing), fine);
  assert.match(await mistakes(world, { ...nothing, TENCENT_REGION: '' }), /^TENCENT_REGION is missing or empty/m);
  world.write('.env.test', 'TENCENT_REGION=ap-jakarta');
  assert.match(await mistakes(world, nothing, 'test'), /^TENCENT_API_ROLE is missing or empty[^]*in \.env\.test as/m);
});
