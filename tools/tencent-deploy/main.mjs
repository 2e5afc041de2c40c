// Deploys serverless.yml in the current folder to Tencent Cloud, without a hosted service:
//
//	node main.mjs check [STAGE]     names everything that is missing or wrong
//	node main.mjs plan [STAGE]      says what would be created, changed and removed
//	node main.mjs deploy [STAGE]    does it, and prints the URLs
//	node main.mjs remove [STAGE]    removes the functions and their triggers, if the variable CONFIRM is the stage
//
// The variables of serverless.yml and the credentials (TENCENT_SECRET_ID, TENCENT_SECRET_KEY, TENCENT_TOKEN) are read from the
// environment and from .env. TENCENT_API is the address of the API, for accounts of the international site. The exit status is 1 if
// something is wrong. "make deploy-tencent" builds the archives first.

import fs from 'node:fs';
import { Api, describe } from './api.mjs';
import { check } from './check.mjs';
import { plan, removal } from './plan.mjs';
import { instance, readVariables, stageOf, wanted } from './serverless.mjs';
import { Tencent } from './tencent.mjs';

const commands = { check: async () => {}, plan: printPlan, deploy, remove };
let secrets = [];

// The tool kit logs to the console. This program writes to the streams itself.
console.log = () => {};

// write prints a line. No text should contain a credential, and none does on its way through here.
function write(stream, line) {
  stream.write(`${secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), line)}\n`);
}
const say = line => write(process.stdout, line);
const complain = line => write(process.stderr, line);

async function main([command, stageArgument]) {
  if (!Object.hasOwn(commands, command)) {
    complain('usage: node main.mjs check|plan|deploy|remove [STAGE]');
    return 2;
  }
  const text = fs.readFileSync('serverless.yml', 'utf8');
  const stage = stageArgument || stageOf(text);
  const { file, variables } = readVariables('.', stage, process.env);
  const credentials = { secretId: variables.TENCENT_SECRET_ID, secretKey: variables.TENCENT_SECRET_KEY, token: variables.TENCENT_TOKEN };
  secrets = Object.values(credentials).filter(Boolean);

  const mistakes = check(text, variables, stage);
  if (mistakes.length > 0) {
    mistakes.forEach(complain);
    complain(`Nothing was done. Set variables in the environment, or in ${file} as NAME=value, without comments.`);
    return 1;
  }
  const target = wanted(instance(text, variables, stage));
  const api = new Api({ credentials, region: target.region, base: variables.TENCENT_API || undefined });
  const tencent = new Tencent({ api, region: target.region });
  return (await commands[command](tencent, target, stage)) ?? 0;
}

async function printPlan(tencent, target, stage) {
  const steps = await plan(tencent, target, '.');
  if (steps.length === 0) return say(`Nothing to do: the stage ${stage} in ${target.region} is up to date.`);
  say(`What a deployment of the stage ${stage} in ${target.region} would create (+), change (~) and remove (-):\n`);
  steps.forEach(step => say(`  ${step.sign} ${step.what}`));
  say(`\n${count(steps, ['to create', 'to change', 'to remove'])}. Nothing was changed.`);
}

async function deploy(tencent, target, stage) {
  const steps = await plan(tencent, target, '.');
  say(`Deploying the stage ${stage} to ${target.region}.`);
  if (!(await run(steps))) return 1;
  say(steps.length === 0 ? '  Nothing to do: everything is up to date.' : `Done: ${count(steps)}.`);
  say('\nThe URLs:\n');
  for (const { key, functionName, namespace } of target.triggers.filter(each => each.type === 'http')) {
    const url = await tencent.url({ FunctionName: functionName, Namespace: namespace });
    say(`  ${key.padEnd(8)} ${url ?? 'not known yet: see the function in the SCF console, under Function URL'}`);
  }
}

async function remove(tencent, target, stage) {
  const steps = await removal(tencent, target);
  if (steps.length === 0) return say(`Nothing to remove: the stage ${stage} in ${target.region} has no functions.`);
  if (process.env.CONFIRM !== stage) {
    say(`This would remove from ${target.region}:\n`);
    steps.forEach(step => say(`  ${step.sign} ${step.what}`));
    say(`\nNothing was removed. The URLs cannot be restored. To remove all this, add CONFIRM=${stage} to the command.`);
    return 1;
  }
  say(`Removing the stage ${stage} from ${target.region}.`);
  if (!(await run(steps))) return 1;
  say(`Done: ${count(steps)}. The secret, the roles, the logs, the database and the dead-letter queue remain.`);
}

// run runs the steps and prints each. It stops at the first that fails, and reports whether all succeeded.
async function run(steps) {
  for (const [done, step] of steps.entries()) {
    try {
      await step.run();
    } catch (error) {
      complain(`\nFailed at: ${step.what}\n${describe(error)}`);
      complain(`${done} of ${steps.length} steps are done and stay. Correct the cause, and run the command again: it continues there.`);
      return false;
    }
    say(`  ${step.sign} ${step.what}`);
  }
  return true;
}

function count(steps, words = ['created', 'changed', 'removed']) {
  return words.map((word, index) => `${steps.filter(step => step.sign === '+~-'[index]).length} ${word}`).join(', ');
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  complain(describe(error));
  process.exitCode = 1;
}
