// The check before a deployment. It reports every mistake at once, each with the name of its variable, and never repeats a value.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { instance, references, wanted } from './serverless.mjs';

// What each variable is for, with an example. A variable of serverless.yml that is not here may be missing, unless it is a part of a
// longer value: without it, its key is removed.
const known = {
  TENCENT_SECRET_ID: { needed: true, is: 'the id of your API key, from the CAM console' },
  TENCENT_SECRET_KEY: { needed: true, is: 'the key that belongs to TENCENT_SECRET_ID' },
  TENCENT_REGION: { needed: true, is: 'the region of the functions, for example TENCENT_REGION=ap-singapore' },
  TENCENT_API_ROLE: { needed: true, is: 'the CAM role of api and webhook, for example TENCENT_API_ROLE=giftstats-api' },
  TENCENT_STREAMEND_ROLE: {
    needed: true,
    is: 'the CAM role of streamend and sweep, for example TENCENT_STREAMEND_ROLE=giftstats-streamend',
  },
  TENCENT_DEAD_LETTER_QUEUE: {
    needed: true,
    is: 'the CMQ queue for events that failed permanently, for example TENCENT_DEAD_LETTER_QUEUE=giftstats-dead-letters',
  },
  GIFTSTATS_SECRET: {
    needed: true,
    is: "the address of the secret document, for example GIFTSTATS_SECRET='tencentssm://giftstats?version=v1&region=ap-singapore'",
  },
  GIFTSTATS_ENDPOINT: { needed: true, is: 'the region of the Chat app, for example GIFTSTATS_ENDPOINT=singapore' },
  GIFTSTATS_DELIVER: {
    needed: true,
    is: 'where summaries go, for example GIFTSTATS_DELIVER=https://example.com/giftstats (or log:// for a log line only)',
  },
  GIFTSTATS_LEDGER: {
    is: 'the address of Redis or Valkey, which turns the ledger on, for example GIFTSTATS_LEDGER=redis://10.0.0.7:6379/0',
  },
  GIFTSTATS_CORS_ORIGINS: {
    is: 'the origins whose web pages may call the API, for example GIFTSTATS_CORS_ORIGINS=https://app.example.com',
  },
  TENCENT_VPC: { is: 'the private network (VPC) of the database, for example TENCENT_VPC=vpc-12345678' },
  TENCENT_SUBNET: { is: 'a subnet of that network, for example TENCENT_SUBNET=subnet-12345678' },
};

const explain = name => (known[name] ? ` It is ${known[name].is}` : '');

// check returns the mistakes, one text for each.
export function check(text, variables, stage) {
  const mistakes = new Map(); // by variable: one mistake for each is enough
  const complain = (name, mistake) => mistakes.has(name) || mistakes.set(name, mistake);

  const credentials = ['TENCENT_SECRET_ID', 'TENCENT_SECRET_KEY'].map(name => ({ name }));
  for (const { name, part } of [...credentials, ...references(text)]) {
    const value = variables[name];
    if (!/^[A-Za-z_]\w*$/.test(name)) complain(name, `serverless.yml: \${env:${name}} is not a valid name of a variable.`);
    else if (value?.trim()) continue;
    else if (part || known[name]?.needed) complain(name, `${name} is missing or empty.${explain(name)}`);
    else if (value !== undefined) complain(name, `${name} is set but empty. Remove it, or set it.${explain(name)}`);
  }
  if (!/^\w[\w-]{0,39}$/.test(stage)) {
    complain('STAGE', 'STAGE must have 1 to 40 letters, digits, - and _, since it is a part of the names of the functions.');
  }
  checkCredentials(variables, complain);
  checkValues(variables, complain);
  for (const [name, mistake] of settingsMistakes(text, variables, stage)) complain(name, mistake);
  return [...mistakes.values()];
}

// checkCredentials refuses what cannot be a part of a header. The error for such a header would quote it.
function checkCredentials(variables, complain) {
  for (const name of ['TENCENT_SECRET_ID', 'TENCENT_SECRET_KEY', 'TENCENT_TOKEN']) {
    if (variables[name] && !/^[!-~]+$/.test(variables[name])) {
      complain(name, `${name} must have only Latin letters, digits and punctuation, without spaces and line breaks.`);
    }
  }
}

// checkValues checks what the settings of one function cannot show.
function checkValues({ TENCENT_REGION, TENCENT_VPC, TENCENT_SUBNET, GIFTSTATS_SECRET, GIFTSTATS_LEDGER }, complain) {
  if (TENCENT_REGION && !/^[a-z]+(-[a-z0-9]+)+$/.test(TENCENT_REGION)) {
    complain('TENCENT_REGION', 'TENCENT_REGION must be a region of Tencent Cloud, such as ap-singapore.');
  }
  // The variables of a function can be read by others, so they must not contain a secret.
  if (GIFTSTATS_SECRET?.trim() && !/^(tencentssm|awssecretsmanager):\/\//.test(GIFTSTATS_SECRET)) {
    complain(
      'GIFTSTATS_SECRET',
      'GIFTSTATS_SECRET must be the address of the secret, not the secret itself: anyone who may view the function can read it.' +
        explain('GIFTSTATS_SECRET'),
    );
  }
  const missing = (name, reason) => complain(name, `${name} is missing, but ${reason}.${explain(name)}`);
  if (GIFTSTATS_LEDGER?.startsWith('redis://') && !TENCENT_VPC) missing('TENCENT_VPC', 'GIFTSTATS_LEDGER is a private address');
  if (TENCENT_VPC && !TENCENT_SUBNET) missing('TENCENT_SUBNET', 'TENCENT_VPC is set');
  if (!TENCENT_VPC && TENCENT_SUBNET) missing('TENCENT_VPC', 'TENCENT_SUBNET is set');
}

// settingsMistakes runs the parser of the functions on the variables of each. It returns pairs of a variable and a mistake.
function settingsMistakes(text, variables, stage) {
  const { functions } = wanted(instance(text, variables, stage));
  const input = Object.fromEntries(functions.map(each => [each.key, each.environment?.variables ?? {}]));
  const { TENCENT_SECRET_ID, TENCENT_SECRET_KEY, TENCENT_TOKEN, ...env } = process.env;
  const output = goRun('./tools/settings', env, JSON.stringify(input, (_, value) => (typeof value === 'object' ? value : String(value))));
  const names = new Set(references(text).map(each => each.name));
  return Object.entries(JSON.parse(output)).flatMap(([key, mistakes]) =>
    mistakes.map(mistake => {
      const name = /^\w+/.exec(mistake)[0];
      if (names.has(name)) return [name, `${mistake}.`];
      return [`${key} ${name}`, `serverless.yml, function ${key}: ${mistake}.`];
    }),
  );
}

// goRun runs a program of the repository, and returns its output.
function goRun(program, env, input) {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  try {
    return execFileSync('go', ['run', program], { cwd, env, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] });
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error('go is not on PATH. The check of the settings needs Go: https://go.dev/dl/');
    throw new Error(`go run ${program} failed; see above`);
  }
}
