// Runs the deployment against the stand-in: first, again, with changes, with failures, and the removal.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sign } from '../../tools/tencent-deploy/api.mjs';
import { Cloud, credentials } from './cloud.mjs';
import { environment, ledger, original, project } from './fixture.mjs';

const names = ['giftstats-prod-api', 'giftstats-prod-webhook', 'giftstats-prod-streamend', 'giftstats-prod-sweep'];

// world starts a stand-in, and a project that is deployed to it. run fails if the output contains a credential.
async function world(t, options) {
  const cloud = await new Cloud().start();
  t.after(() => cloud.close());
  const { write, run } = project(t, options);
  const checked = async (command, environ, ...args) => {
    const result = await run(command, { ...environment, TENCENT_API: cloud.url, ...environ }, ...args);
    for (const secret of Object.values(credentials)) {
      assert.ok(!(result.stdout + result.stderr).includes(secret), `the output contains a credential:\n${result.stdout}${result.stderr}`);
    }
    return result;
  };
  return { cloud, write, run: checked };
}

// succeeded returns the standard output of a run.
function succeeded({ status, stdout, stderr }) {
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

test('the signature is the one of the documentation', () => {
  const signed = sign({
    secretId: 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE',
    secretKey: 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE',
    service: 'cvm',
    host: 'cvm.tencentcloudapi.com',
    contentType: 'application/json; charset=utf-8',
    body: String.raw`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`,
    time: 1551113065,
  });
  assert.match(signed, /Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168$/);
});

test('a plan changes nothing', async t => {
  const { cloud, run } = await world(t);
  const plan = succeeded(await run('plan'));
  for (const name of names) assert.match(plan, new RegExp(`^ {2}\\+ function ${name}: code `, 'm'));
  assert.match(plan, /^17 to create, 0 to change, 0 to remove\. Nothing was changed\.$/m);
  assert.deepEqual(cloud.changed, []);
  succeeded(await run('deploy'));
  cloud.requests.length = 0;
  assert.match(succeeded(await run('plan', ledger)), /^0 to create, 5 to change, 0 to remove\. Nothing was changed\.$/m);
  assert.deepEqual(cloud.changed, []);
});

test('the first deployment creates everything and prints the URLs, the second nothing', async t => {
  const { cloud, run } = await world(t);
  cloud.busy = 1;
  cloud.hidden = 1;
  const first = succeeded(await run('deploy', ledger));
  assert.deepEqual(Object.keys(cloud.functions), names);
  assert.deepEqual(
    Object.values(cloud.functions).map(each => each.reserved),
    [640, 12800, 512, 128],
    'the reserved memory',
  );
  assert.deepEqual(
    Object.values(cloud.functions).map(each => String(each.archive)),
    ['the api', 'the api', 'the streamend', 'the streamend'],
    'each function has the archive of its own handler',
  );
  assert.match(first, /^ {2}api {6}https:\/\/1250000000-\w{10}\.ap-singapore\.tencentscf\.com$/m);
  assert.match(first, /^ {2}webhook {2}https:\/\/1250000000-\w{10}\.ap-singapore\.tencentscf\.com$/m);
  const quotas = cloud.requests.findLastIndex(each => each.action === 'PutReservedConcurrencyConfig');
  const urls = cloud.requests.findIndex(each => each.action === 'CreateTrigger');
  assert.ok(quotas < urls, 'a function can be reached before its instances are limited');

  cloud.requests.length = 0;
  const second = succeeded(await run('deploy', ledger));
  assert.deepEqual(cloud.changed, []);
  assert.match(second, /Nothing to do: everything is up to date\./);
  assert.equal(second.slice(second.indexOf('The URLs')), first.slice(first.indexOf('The URLs')));
});

test('a changed variable, setting or binary changes what it is for, and nothing else', async t => {
  const { cloud, write, run } = await world(t);
  succeeded(await run('deploy'));
  const deploy = async environ => {
    cloud.requests.length = 0;
    return succeeded(await run('deploy', environ));
  };

  const output = await deploy({ GIFTSTATS_DELIVER: 'https://example.com/?token=not-real' });
  assert.deepEqual(cloud.changed, ['UpdateFunctionConfiguration', 'UpdateFunctionConfiguration']);
  assert.match(output, /^ {2}~ function giftstats-prod-streamend: variable GIFTSTATS_DELIVER changed$/m);
  assert.doesNotMatch(output, /token/, 'the value of a variable is printed');

  write('serverless.yml', original.replace('timeout: 15', 'timeout: 20').replace("reserved_mb: '512'", "reserved_mb: '384'"));
  assert.match(await deploy({ GIFTSTATS_DELIVER: 'https://example.com/?token=not-real' }), /timeout: 15 -> 20$/m);
  assert.deepEqual(cloud.changed, [
    'UpdateFunctionConfiguration',
    'DetachResourcesTag',
    'CreateTag',
    'AttachResourcesTag',
    'PutReservedConcurrencyConfig',
  ]);
  assert.equal(cloud.functions['giftstats-prod-streamend'].reserved, 384);
  assert.equal(cloud.functions['giftstats-prod-streamend'].tags.reserved_mb, '384');

  write('dist/tencent-streamend.zip', 'the new streamend');
  await deploy({ GIFTSTATS_DELIVER: 'https://example.com/?token=not-real' });
  assert.deepEqual(cloud.changed, ['UpdateFunctionCode', 'UpdateFunctionCode']);
  assert.equal(String(cloud.functions['giftstats-prod-sweep'].archive), 'the new streamend');
  assert.equal(String(cloud.functions['giftstats-prod-api'].archive), 'the api');
});

test('without GIFTSTATS_LEDGER the ledger, its network and its timer are off again', async t => {
  const { cloud, run } = await world(t);
  succeeded(await run('deploy', ledger));
  const { 'giftstats-prod-sweep': sweep } = cloud.functions;
  assert.deepEqual(sweep.config.VpcConfig, { VpcId: 'vpc-12345678', SubnetId: 'subnet-12345678' });
  assert.equal(sweep.triggers[0].Enable, 'OPEN');
  const output = succeeded(await run('deploy'));
  assert.match(output, /giftstats-prod-api: vpcConfig changed, .*variable GIFTSTATS_LEDGER removed/);
  for (const { config } of Object.values(cloud.functions)) {
    assert.deepEqual(config.VpcConfig, { VpcId: '', SubnetId: '' });
    assert.ok(!config.Environment.Variables.some(each => each.Key.startsWith('GIFTSTATS_LEDGER')));
  }
  assert.equal(sweep.triggers.length, 1);
  assert.equal(sweep.triggers[0].Enable, 'CLOSE');
});

test('a setting that serverless.yml no longer has is removed', async t => {
  const { cloud, write, run } = await world(t);
  succeeded(await run('deploy'));
  write('serverless.yml', original.replace(/ {6}deadLetter:\n.*\n.*\n/, ''));
  cloud.functions['giftstats-prod-api'].triggers.push({ Type: 'ckafka', TriggerName: 'own', TriggerDesc: '{}', Enable: 'OPEN' });
  const old = { Type: 'timer', TriggerName: 'old', TriggerDesc: '0 0 * * * * *', Enable: 'OPEN' };
  cloud.functions['giftstats-prod-sweep'].triggers.push(old);
  const output = succeeded(await run('deploy'));
  assert.match(output, /giftstats-prod-streamend: deadLetter changed$/m);
  assert.match(output, /^ {2}- timer old of giftstats-prod-sweep$/m);
  assert.equal(cloud.functions['giftstats-prod-streamend'].config.DeadLetterConfig.Name, '');
  assert.deepEqual(
    cloud.functions['giftstats-prod-api'].triggers.map(each => each.Type),
    ['http', 'ckafka'],
    'a trigger of another type that someone added stays',
  );
});

test('a URL keeps its address when it is changed', async t => {
  const { cloud, run } = await world(t);
  succeeded(await run('deploy'));
  const [url] = cloud.functions['giftstats-prod-api'].triggers;
  url.TriggerDesc = JSON.stringify({ AuthType: 'NONE', NetConfig: { EnableExtranet: false, EnableIntranet: false } });
  cloud.requests.length = 0;
  succeeded(await run('deploy'));
  assert.deepEqual(cloud.changed, ['UpdateTrigger']);
});

test('a deployment that failed in the middle continues', async t => {
  const { cloud, run } = await world(t);
  cloud.failures.push({ action: 'CreateFunction', of: names[2], code: 'LimitExceeded.Function', message: 'too many functions' });
  const { status, stdout, stderr } = await run('deploy');
  assert.equal(status, 1);
  assert.match(stdout, /^ {2}\+ function giftstats-prod-webhook/m);
  assert.match(
    stderr,
    /^Failed at: function giftstats-prod-streamend: .*\nLimitExceeded\.Function: too many functions\n6 of 17 steps are done and stay\./m,
  );
  assert.deepEqual(Object.keys(cloud.functions), names.slice(0, 2));
  assert.match(succeeded(await run('deploy')), /^Done: 11 created, 0 changed, 0 removed\.$/m);
  assert.deepEqual(Object.keys(cloud.functions), names);
});

test('a function whose creation failed is created again, and one that cannot run is reported', async t => {
  const { cloud, run } = await world(t);
  succeeded(await run('deploy'));
  cloud.functions[names[0]].status = 'CreateFailed';
  assert.match(succeeded(await run('deploy')), /^ {2}\+ function giftstats-prod-api/m);
  assert.equal(cloud.made('DeleteFunction').length, 1);
  Object.assign(cloud.functions[names[0]], { status: 'UpdateFailed', reasons: [{ ErrorMessage: 'no such subnet' }] });
  const { status, stderr } = await run('deploy');
  assert.equal(status, 1);
  assert.match(stderr, /^the function giftstats-prod-api is UpdateFailed: no such subnet$/m);
});

test('the removal needs the name of the stage, and removes what was deployed and nothing else', async t => {
  const { cloud, run } = await world(t);
  succeeded(await run('deploy'));
  succeeded(await run('deploy', {}, 'test'));
  for (const CONFIRM of [undefined, '1', 'test']) {
    cloud.requests.length = 0;
    const { status, stdout } = await run('remove', { CONFIRM });
    assert.equal(status, 1);
    assert.match(stdout, /^ {2}- function giftstats-prod-api$[^]*To remove all this, add CONFIRM=prod to the command\.$/m);
    assert.deepEqual(cloud.changed, []);
  }
  const output = succeeded(await run('remove', { CONFIRM: 'prod' }));
  assert.match(output, /^Done: 0 created, 0 changed, 7 removed\./m);
  assert.deepEqual(
    Object.keys(cloud.functions),
    names.map(name => name.replace('prod', 'test')),
  );
  assert.match(succeeded(await run('remove', { CONFIRM: 'prod' })), /^Nothing to remove/m);
});

// The text of each mistake with the credentials says which variable to correct.
for (const [name, environ, text] of [
  ['an unknown id', { TENCENT_SECRET_ID: 'AKIDOTHER' }, /^AuthFailure\.SecretIdNotFound: .*\nCheck TENCENT_SECRET_ID\. .*TENCENT_API=/m],
  ['a wrong key', { TENCENT_SECRET_KEY: 'other' }, /^AuthFailure\.SignatureFailure: .*\nTENCENT_SECRET_KEY does not belong to/m],
  ['an old token', { TENCENT_TOKEN: 'other' }, /^AuthFailure\.TokenFailure: .*\nTENCENT_TOKEN does not belong to TENCENT_SECRET_ID, or/m],
  ['an API without TLS', { TENCENT_API: 'http://tencentcloudapi.com' }, /^TENCENT_API must be like https:\/\/intl\.tencentcloudapi\.com/m],
  ['an API that does not answer', { TENCENT_API: 'http://127.0.0.1:1' }, /^GetFunction: http:\/\/127\.0\.0\.1:1\/ could not be reached: /m],
]) {
  test(`refused: ${name}`, async t => {
    const { cloud, run } = await world(t);
    const { status, stderr } = await run('deploy', environ);
    assert.equal(status, 1);
    assert.match(stderr, text);
    assert.deepEqual(cloud.changed, []);
  });
}

test('a missing permission is explained', async t => {
  const { cloud, run } = await world(t);
  cloud.failures.push({ action: 'CreateFunction', code: 'UnauthorizedOperation.CAM', message: 'no permission (scf:CreateFunction)' });
  assert.match((await run('deploy')).stderr, /scf:CreateFunction.*\nThe account lacks the permission: see "What you need"/);
});

test('an archive that the API would not take is refused before anything is done', async t => {
  const { cloud, run } = await world(t, { api: Buffer.alloc(8_000_000) });
  const { status, stderr } = await run('deploy');
  assert.equal(status, 1);
  assert.match(stderr, /tencent-api\.zip has 8000000 bytes, and the API takes at most 10 MB/);
  assert.deepEqual(cloud.changed, []);
});
