// Deploys serverless.yml to a stand-in for Tencent Cloud, and compares the requests with the expected ones. Then it breaks the file in
// one place at a time, which must be refused each time.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';
import { Api } from '../../tools/tencent-deploy/api.mjs';
import { plan } from '../../tools/tencent-deploy/plan.mjs';
import { instance, references, wanted } from '../../tools/tencent-deploy/serverless.mjs';
import { Tencent } from '../../tools/tencent-deploy/tencent.mjs';
import { Cloud, credentials } from './cloud.mjs';
import { environment, ledger, original, pages, project, root } from './fixture.mjs';
import { schema } from './schema.mjs';

const Ajv = createRequire(new URL('../../tools/tencent-deploy/package.json', import.meta.url))('ajv');

// deploy runs all steps of the plan, with the archives of a folder.
async function deploy(file, cloud, folder) {
  const target = wanted(file);
  const { TENCENT_SECRET_ID: secretId, TENCENT_SECRET_KEY: secretKey, TENCENT_TOKEN: token } = credentials;
  const api = new Api({ credentials: { secretId, secretKey, token }, region: target.region, base: cloud.url });
  const log = console.log;
  console.log = () => {}; // the tool kit logs
  try {
    for (const step of await plan(new Tencent({ api, region: target.region, pause: 1 }), target, folder)) await step.run();
  } finally {
    console.log = log;
  }
}

// Archives of a few bytes, because most of the tests are about the requests.
const { folder: small } = project({ after });

const matches = new Ajv({ allErrors: true }).compile(schema);

// The expected requests, in the terms of Tencent's API: https://cloud.tencent.com/document/api/583/18586 (CreateFunction),
// https://cloud.tencent.com/document/product/583/100227 (CreateTrigger with type http).
const common = {
  Namespace: 'default',
  MemorySize: 128,
  InitTimeout: 10,
  DiskSize: 512,
  L5Enable: 'FALSE',
  PublicNetConfig: { PublicNetStatus: 'ENABLE', EipConfig: { EipStatus: 'DISABLE' } },
};
const queue = 'scf://giftstats-prod-streamend?region=ap-singapore&namespace=default';

// expected returns the functions in their order, with or without a ledger.
function expected(environ) {
  const always = { GIFTSTATS_SECRET: environ.GIFTSTATS_SECRET, GIFTSTATS_ENDPOINT: 'singapore' };
  const rest = {
    GIFTSTATS_LOG_LEVEL: 'info',
    ...(environ.GIFTSTATS_LEDGER && { GIFTSTATS_LEDGER: 'redis://10.0.0.7:6379/0', GIFTSTATS_LEDGER_RETENTION: '720h' }),
  };
  const shared = { GIFTSTATS_RATE_SHARED: '75' };
  const network = environ.TENCENT_VPC ? { VpcConfig: { VpcId: 'vpc-12345678', SubnetId: 'subnet-12345678' } } : {};
  return [
    {
      ...common,
      ...network,
      FunctionName: 'giftstats-prod-api',
      Description: 'Giftstats, answers HTTP requests.',
      Role: 'giftstats-api',
      Timeout: 15,
      Environment: variables({
        ...always,
        GIFTSTATS_AUTH: 'api-key',
        ...(environ.GIFTSTATS_CORS_ORIGINS && pages),
        GIFTSTATS_CONSOLE: 'false',
        GIFTSTATS_QUEUE: queue,
        GIFTSTATS_RATE_LIMIT: '9',
        ...shared,
        ...rest,
      }),
    },
    {
      ...common,
      ...network,
      FunctionName: 'giftstats-prod-webhook',
      Description: 'Giftstats, receives webhooks.',
      Role: 'giftstats-api',
      Timeout: 10,
      Environment: variables({ ...always, GIFTSTATS_QUEUE: queue, GIFTSTATS_RATE_LIMIT: '0.01', ...rest }),
    },
    {
      ...common,
      ...network,
      FunctionName: 'giftstats-prod-streamend',
      Description: 'Giftstats, delivers summaries of ended streams.',
      Role: 'giftstats-streamend',
      Timeout: 60,
      Environment: variables({
        ...always,
        GIFTSTATS_DELIVER: environ.GIFTSTATS_DELIVER,
        GIFTSTATS_RATE_LIMIT: '5',
        ...shared,
        ...rest,
      }),
      DeadLetterConfig: { Type: 'CMQ-QUEUE', Name: 'giftstats-dead-letters' },
    },
    {
      ...common,
      ...network,
      FunctionName: 'giftstats-prod-sweep',
      Description: 'Giftstats, keeps the numbers of live streams.',
      Role: 'giftstats-streamend',
      Timeout: 80,
      Environment: variables({ ...always, GIFTSTATS_DELIVER: environ.GIFTSTATS_DELIVER, GIFTSTATS_RATE_LIMIT: '50', ...rest }),
    },
  ];
}
const handlers = ['api', 'api', 'streamend', 'streamend']; // the binary of each
const urlOf = FunctionName => ({
  FunctionName,
  Namespace: 'default',
  Type: 'http',
  Qualifier: '$DEFAULT',
  TriggerName: 'url',
  Enable: 'OPEN',
  TriggerDesc: { AuthType: 'NONE', NetConfig: { EnableExtranet: true, EnableIntranet: false } },
});
const urls = [urlOf('giftstats-prod-api'), urlOf('giftstats-prod-webhook')];
const timerOf = environ => ({
  FunctionName: 'giftstats-prod-sweep',
  Namespace: 'default',
  Type: 'timer',
  Qualifier: '$DEFAULT',
  TriggerName: 'sweep',
  TriggerDesc: '0 * * * * * *',
  CustomArgument: '{"sweep":true}',
  Enable: environ.GIFTSTATS_LEDGER ? 'OPEN' : 'CLOSE',
});
const creation = { Type: 'Event', DeployMode: 'code', Runtime: 'Go1', InstallDependency: 'FALSE' };

function variables(map) {
  return { Variables: Object.entries(map).map(([Key, Value]) => ({ Key, Value })) };
}

const described = trigger => (trigger.Type === 'http' ? { ...trigger, TriggerDesc: JSON.parse(trigger.TriggerDesc) } : trigger);

const complete = { ...environment, ...ledger, ...pages };

// verify fails if the text of serverless.yml does not lead to exactly these requests.
async function verify(text, environ = complete, folder = small) {
  const file = instance(text, environ);
  assert.ok(
    matches(file),
    matches.errors?.map(each => `${each.instancePath || '/'} ${each.message} ${JSON.stringify(each.params)}`).join('\n'),
  );
  const cloud = await new Cloud().start();
  try {
    await deploy(file, cloud, folder);
    created(cloud, environ);
    const hosts = cloud.requests.map(each => `${each.service} ${each.region}`);
    assert.deepEqual(new Set(hosts), new Set(['scf ap-singapore', 'tag ap-singapore']), 'no other service is called');
    if (folder === root) packaged(cloud);
    cloud.requests.length = 0;
    await deploy(file, cloud, folder);
    assert.deepEqual(cloud.changed, [], 'the second deployment changes nothing');
  } finally {
    cloud.close();
  }
  limits(file);
}

function created(cloud, environ) {
  assert.deepEqual(
    cloud.made('CreateFunction').map(({ Code, ...rest }) => rest),
    expected(environ).map((each, index) => ({ ...creation, ...each, Handler: handlers[index] })),
  );
  assert.deepEqual(cloud.made('CreateTrigger').map(described), [...urls, timerOf(environ)]);
  assert.deepEqual(
    cloud.made('AttachResourcesTag').map(each => [each.ResourceIds, each.TagKey, each.TagValue]),
    Object.entries({ api: '640', webhook: '12800', streamend: '512', sweep: '128' }).flatMap(([name, quota]) => [
      [[`default/function/giftstats-prod-${name}`], 'app', 'giftstats'],
      [[`default/function/giftstats-prod-${name}`], 'reserved_mb', quota],
    ]),
  );
  assert.deepEqual(
    cloud.made('PutReservedConcurrencyConfig').map(each => [each.FunctionName, each.ReservedConcurrencyMem]),
    Object.entries({ api: 640, webhook: 12800, streamend: 512, sweep: 128 }).map(([name, quota]) => [`giftstats-prod-${name}`, quota]),
  );
  assert.deepEqual(
    Object.values(cloud.functions).map(each => [each.retries.RetryConfig[0].RetryNum, each.retries.MsgTTL]),
    [
      [2, 21600],
      [2, 21600],
      [2, 21600],
      [0, 60],
    ],
    'the retries of each function; the first two have the defaults of SCF',
  );
}

// packaged fails unless each function has an archive of its binary alone, which can be executed.
function packaged(cloud) {
  const found = Object.values(cloud.functions).map(each => entries(each.archive));
  assert.deepEqual(
    found,
    handlers.map(handler => [`${handler} 755`]),
  );
}

// entries lists the names and the permissions of the files in a ZIP archive: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
function entries(archive) {
  const found = [];
  const start = Buffer.from('PK\x01\x02'); // of each entry of the central directory
  for (let at = archive.indexOf(start, archive.length - 4096); at >= 0; at = archive.indexOf(start, at + 1)) {
    const name = archive.toString('utf8', at + 46, at + 46 + archive.readUInt16LE(at + 28));
    found.push(`${name} ${((archive.readUInt32LE(at + 38) >>> 16) & 0o777).toString(8)}`);
  }
  return found;
}

// limits fails if all instances together exceed the rate of Tencent Chat, or the variables of a function the size that SCF allows. The
// shared rate counts once.
function limits(file) {
  const shared = wanted(file).functions.map(each => Number(each.environment.variables.GIFTSTATS_RATE_SHARED ?? 0));
  assert.ok(new Set(shared.filter(Boolean)).size <= 1, `the functions share different rates: ${shared}`);
  let calls = Math.max(...shared);
  for (const each of wanted(file).functions) {
    const quota = Number(each.tags?.reserved_mb);
    assert.equal(quota % each.memorySize, 0, `${each.name}: ${quota} MB is not a whole number of instances`);
    calls += (quota / each.memorySize) * Number(each.environment.variables.GIFTSTATS_RATE_LIMIT);
    const size = Object.entries(each.environment.variables).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    assert.ok(size < 2048, `${each.name}: ${size} of the 4,096 bytes for variables leave no room for long names`);
  }
  assert.ok(calls <= 200, `${calls} calls per second`);
}

test('a deployment of the real archives sends the expected requests', () => verify(original, complete, root));

test('without origins the function is told of none', () => verify(original, { ...environment, ...ledger }));

test('without a ledger nothing is remembered, and the timer is off', () => verify(original, environment));

test('a batch of 1,000 is answered in time', () => {
  const { timeout, environment: given } = wanted(instance(original, complete)).functions[0];
  const rate = 0.993 * (Number(given.variables.GIFTSTATS_RATE_LIMIT) + Number(given.variables.GIFTSTATS_RATE_SHARED));
  const start = 2; // seconds for a cold start, and the margin before the timeout
  assert.ok(1000 / rate + start <= timeout, `${1000 / rate} s at ${rate} calls per second`);
});

test('a ledger outside a private network', () => {
  const { functions } = wanted(instance(original, { ...complete, TENCENT_VPC: undefined, TENCENT_SUBNET: undefined }));
  for (const each of functions) assert.deepEqual(each.vpcConfig, {}, each.name);
});

test('another stage has names of its own', () => {
  const { functions } = wanted(instance(original.replace('stage: prod', 'stage: test'), environment));
  assert.deepEqual(
    functions.map(each => each.name),
    ['giftstats-test-api', 'giftstats-test-webhook', 'giftstats-test-streamend', 'giftstats-test-sweep'],
  );
  for (const each of functions.slice(0, 2)) {
    assert.match(each.environment.variables.GIFTSTATS_QUEUE, /^scf:\/\/giftstats-test-streamend\?/, each.name);
  }
});

// Each of these mistakes would pass the tool kit, or would show only in a running function. A row has the text to replace,
// its replacement, and the error.
const mistakes = {
  'a misspelled key of a function': ['memorySize: 128', 'memorysize: 128', /functions\/api .*"memorysize"/],
  'a misspelled key of the inputs': ['  runtime: Go1', '  runtimes: Go1', /inputs .*"runtimes"/],
  'a misspelled key of the network': ['enableExtranet: true', 'enableExtraNet: true', /netConfig .*"enableExtraNet"/],
  'no network for the URL': [/ {8}netConfig:\n.*\n.*\n/, '', /required property 'netConfig'/],
  'the public network is off': ['enableExtranet: true', 'enableExtranet: false', /EnableExtranet: false/],
  'the private network is on': ['enableIntranet: false', 'enableIntranet: true', /EnableIntranet: true/],
  'the private network is not stated': [/ {10}enableIntranet: false\n/, '', /required property 'enableIntranet'/],
  'no qualifier': [/ {8}qualifier: .*\n/, '', /required property 'qualifier'/],
  'a version as the qualifier': ['qualifier: $DEFAULT', 'qualifier: $LATEST', /Qualifier: '\$LATEST'/],
  'CAM, which webhooks cannot sign': ['authType: NONE', 'authType: CAM', /AuthType: 'CAM'/],
  'a URL for the wrong function': ['      function: api', '      function: streamend', /FunctionName: 'giftstats-prod-streamend'/],
  'a URL for a function that does not exist': ['      function: api', '      function: API', /names the function API/],
  'no URL': [/ {2}triggers:\n[^]*(?=\n# The 200)/, '', /required property 'triggers'/],
  'an API Gateway': ['- type: http', '- type: apigw', /triggers\/0\/type/],
  'a handler with a dot': ['handler: api #', 'handler: api.main #', /functions\/api\/handler/],
  'the handlers swapped': ['handler: streamend', 'handler: api', /Handler: 'api'/],
  'another runtime': ['runtime: Go1', 'runtime: CustomRuntime', /Runtime: 'CustomRuntime'/],
  'a web function': ['type: event', 'type: web', /Type: 'HTTP'/],
  'another folder': ['src: dist/tencent', 'src: dist', /dist-api\.zip is missing/],
  'a folder for each function': ['      handler: api #', '      src: ./api\n      handler: api #', /functions\/api .*"src"/],
  'no role': [/ {6}role: \$\{env:TENCENT_STREAMEND_ROLE\}.*\n/, '', /functions\/streamend .*'role'/],
  'the same role for both': ['${env:TENCENT_STREAMEND_ROLE}', '${env:TENCENT_API_ROLE}', /Role: 'giftstats-api'/],
  'another namespace': ['  namespace: default', '  namespace: live', /Namespace: 'live'/],
  'variables as a list, which the tool kit drops': [
    /variables:\n {10}GIFTSTATS_SECRET: (\S+).*\n/,
    '- key: GIFTSTATS_SECRET\n          value: $1\n',
    /bad indentation|environment must be object/,
  ],
  'no queue': [/ {10}GIFTSTATS_QUEUE: .*\n/, '', /- .*Key: 'GIFTSTATS_QUEUE'/],
  'a queue to another function': ['scf://giftstats-${stage}-streamend', 'scf://giftstats-streamend', /\+ .*scf:\/\/giftstats-streamend/],
  'a dot instead of a colon': ['${env:GIFTSTATS_SECRET}', '${env.GIFTSTATS_SECRET}', /variables\/GIFTSTATS_SECRET must NOT be valid/],
  'the secret itself': ['GIFTSTATS_SECRET: ${env:GIFTSTATS_SECRET}', 'GIFTSTATS_SECRET: not-real', /\+ .*not-real/],
  'asynchronous run, which is not retried': [
    '      msgTTL:',
    '      asyncRunEnable: true\n      msgTTL:',
    /functions\/streamend .*"asyncRunEnable"/,
  ],
  'no retries': ['retryNum: 2', 'retryNum: 0', /. {2}0,/],
  'a shorter life in the queue': ['msgTTL: 21600', 'msgTTL: 60', /\+ .*60/],
  'no tag for the reserved quota': [/ {8}reserved_mb: '512'.*\n/, '', /functions\/streamend\/tags .*'reserved_mb'/],
  'a reserved quota that is not a number': ["reserved_mb: '512'", 'reserved_mb: half', /tags\/reserved_mb must match pattern/],
  'a misspelled number of retries': ['retryNum: 2', 'retrynum: 2', /functions\/streamend .*"retrynum"/],
  'no dead letters': [/ {6}deadLetter:\n.*\n.*\n/, '', /- .*DeadLetterConfig/],
  'dead letters of an unknown type': ['type: CMQ-QUEUE', 'type: CMQ', /deadLetter\/type/],
  'another timeout': ['timeout: 60', 'timeout: 61', /Timeout: 61/],
  'a timeout above the limit of SCF': ['timeout: 60', 'timeout: 901', /timeout must be <= 900/],
  'half a private network': [/ {8}subnetId: .*\n/, '', /functions\/api\/vpcConfig/],
  'no private network': [/ {6}vpcConfig:\n.*\n.*\n/, '', /- .*VpcConfig/],
  'a function without the ledger': [/ {10}GIFTSTATS_LEDGER: .*\n/, '', /- .*Key: 'GIFTSTATS_LEDGER'/],
  'a URL that answers preflights itself': [
    '          enableIntranet: false\n',
    '          enableIntranet: false\n        corsConfig: { enable: true }\n',
    /\+ .*CorsConfig/,
  ],
  'a timer with six fields': ['0 * * * * * *', '0 * * * * *', /cronExpression must match pattern/],
  'a timer that is too slow': ['0 * * * * * *', '0 */2 * * * * *', /TriggerDesc: '0 \*\/2/],
  'a timer that says nothing': [/ {8}argument: .*\n/, '', /required property 'argument'/],
  'a timer that does not ask for a sweep': [`'{"sweep":true}'`, `'{"sweep":false}'`, /CustomArgument: '\{"sweep":false\}'/],
  'a timer that is always off': [/ {8}enable: .*\n/, '', /\+ .*Enable: 'CLOSE'/],
  'a timer for the wrong function': ['function: sweep', 'function: streamend', /FunctionName: 'giftstats-prod-streamend'/],
  'a sweep that is repeated': ['retryNum: 0', 'retryNum: 2', /\+ .*2,/],
  'a prefix that SCF reserves': ['GIFTSTATS_LOG_LEVEL: info', 'SCF_LOG_LEVEL: info', /"SCF_LOG_LEVEL"/],
};

for (const [name, [from, to, reason]] of Object.entries(mistakes)) {
  test(`refused: ${name}`, () => assert.rejects(async () => verify(spoil(from, to)), reason));
}

function spoil(from, to) {
  const spoilt = original.replace(from, typeof to === 'string' && from instanceof RegExp ? to : () => to);
  assert.notEqual(spoilt, original, 'the text to replace is not in serverless.yml; update this test');
  return spoilt;
}

test('all instances together stay within 200 calls per second', () => {
  const calls = (from, to) => limits(instance(spoil(from, to), complete));
  assert.throws(() => calls("RATE_LIMIT: '9'", "RATE_LIMIT: '11'"), /201 calls per second/);
  assert.throws(() => calls(/SHARED: '75'/g, "SHARED: '85'"), /201 calls per second/);
  assert.throws(() => calls("SHARED: '75'", "SHARED: '60'"), /share different rates: 60,0,75,0/);
  assert.throws(() => calls("reserved_mb: '512'", "reserved_mb: '768'"), /201 calls per second/);
  assert.throws(() => calls("reserved_mb: '128'", "reserved_mb: '256'"), /241 calls per second/);
  assert.throws(() => calls("reserved_mb: '512'", "reserved_mb: '500'"), /not a whole number of instances/);
  assert.throws(() => calls("reserved_mb: '512'", ''), /not a whole number of instances/);
});

// Why the schema is needed: the tool kit accepts each of these without an error.
test('what the tool kit ignores', async () => {
  const sent = async (from, to) => {
    const cloud = await new Cloud().start();
    try {
      await deploy(instance(spoil(from, to), environment), cloud, small);
      return cloud;
    } finally {
      cloud.close();
    }
  };
  const closed = await sent(/ {8}netConfig:\n.*\n.*\n/, '');
  assert.deepEqual(
    described(closed.made('CreateTrigger')[0]).TriggerDesc.NetConfig,
    { EnableExtranet: false, EnableIntranet: false },
    'a URL that cannot be reached',
  );
  const short = await sent('timeout: 15', 'timeOut: 15');
  assert.equal(short.made('CreateFunction')[0].Timeout, 3, 'the default instead of a misspelled timeout');
  const bare = await sent(/variables:\n {10}GIFTSTATS_SECRET: (\S+)[^]*?(?=\n\n)/, '- key: GIFTSTATS_SECRET\n          value: $1\n');
  assert.equal(bare.made('CreateFunction')[0].Environment, undefined, 'a list of variables is lost');
});

// An unset variable removes its key, so both this schema and the check before a deployment must refuse it.
test('every variable is known here', () => assert.deepEqual(references(original).map(each => each.name), Object.keys(complete).sort()));

for (const name of Object.keys(environment)) {
  test(`refused: ${name} is not set`, () => assert.rejects(verify(original, { ...complete, [name]: undefined })));
  test(`refused: ${name} is empty`, () => assert.rejects(verify(original, { ...complete, [name]: '' })));
}
