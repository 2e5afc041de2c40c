// Makes the plan of a deployment: a list of steps, each with what it does and the calls that do it. PLAN=1 only prints the steps, and a
// deployment runs the same ones. A step is there only if something differs, so a second deployment has none.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Failure, maxRequest } from './api.mjs';
import { changes, complete, differs, triggerDiffers } from './compare.mjs';

const require = createRequire(import.meta.url);
const { formatInputs } = require('tencent-component-toolkit/lib/modules/scf/utils');
const triggerClasses = require('tencent-component-toolkit/lib/modules/triggers').default;

// plan returns the steps for what serverless.yml wants. First all functions, each with its limits, and then the triggers: nothing can
// be reached before the limits hold.
export async function plan(tencent, { functions, triggers, folder }, root) {
  const read = archives(path.join(root, folder));
  const states = new Map();
  for (const each of functions) states.set(each.name, await tencent.state(at(each)));
  return [
    ...functions.flatMap(each => functionSteps(tencent, each, read(each.handler), states.get(each.name))),
    ...functions.flatMap(each => {
      const own = triggers.filter(trigger => trigger.functionName === each.name);
      return triggerSteps(tencent, at(each), own, states.get(each.name).triggers);
    }),
  ];
}

// removal returns the steps that remove the functions and their triggers, and nothing else. The triggers are first, so that no call
// arrives at a function that is half removed.
export async function removal(tencent, { functions }) {
  const steps = [];
  for (const each of functions) {
    const where = at(each);
    if (!(await tencent.settled(where))) continue;
    for (const trigger of await tencent.triggers(where)) {
      steps.push({ sign: '-', what: triggerName(where, trigger), run: () => removeTrigger(tencent, where, trigger) });
    }
    steps.push({ sign: '-', what: `function ${each.name}`, run: () => removeFunction(tencent, where) });
  }
  return steps;
}

const at = ({ name, namespace }) => ({ FunctionName: name, Namespace: namespace });

// archives returns a function that reads the archive of a handler, once: the folder dist/tencent and the handler api have
// dist/tencent-api.zip.
function archives(folder) {
  const known = new Map();
  return handler => {
    if (!known.has(handler)) known.set(handler, archive(`${folder}-${handler}.zip`));
    return known.get(handler);
  };
}

function archive(file) {
  if (!fs.existsSync(file)) throw new Failure('', `${file} is missing. "make deploy-tencent" builds it`);
  const content = fs.readFileSync(file);
  const hash = createHash('sha256').update(content);
  const zip = content.toString('base64');
  if (zip.length > maxRequest - 65_536) {
    throw new Failure('', `${file} has ${content.length} bytes, and the API takes at most 10 MB with the base64 of it`);
  }
  return { zip, sha256: hash.digest('hex'), size: `${(content.length / 1e6).toFixed(1)} MB` };
}

function functionSteps(tencent, wanted, code, { config, sha256, reserved, retries, tags }) {
  const where = at(wanted);
  const { name } = wanted;
  const limit = wanted.tags?.reserved_mb && Number(wanted.tags.reserved_mb);
  const retry = wanted.retryNum !== undefined && { RetryConfig: [{ RetryNum: wanted.retryNum }], MsgTTL: wanted.msgTTL };
  return [
    ...codeSteps(tencent, where, wanted, code, config, sha256),
    ...tagSteps(tencent, where, wanted.tags ?? {}, tags),
    limit !== undefined &&
      differs(limit, reserved) && {
        sign: config ? '~' : '+',
        what: `reserved memory of ${name}: ${limit} MB, at most ${instances(limit / wanted.memorySize)}`,
        run: () => tencent.scf.concurrency.setReserved({ functionName: name, namespace: wanted.namespace, reservedMem: limit }),
      },
    retry &&
      differs(retry, retries) && {
        sign: config ? '~' : '+',
        what: `retries of ${name}: ${wanted.retryNum}, events kept for ${wanted.msgTTL} s`,
        run: () => tencent.call('UpdateFunctionEventInvokeConfig', { ...where, AsyncTriggerConfig: retry }),
      },
  ].filter(Boolean);
}

const instances = number => (number === 1 ? '1 instance' : `${number} instances`);

// codeSteps returns the steps for the code and the configuration. A function whose creation failed cannot be updated.
function codeSteps(tencent, where, wanted, { zip, sha256, size }, current, currentHash) {
  const { Code, ...inputs } = formatInputs(wanted);
  const failed = current?.Status === 'CreateFailed';
  if (!current || failed) {
    const create = async () => {
      if (failed) await removeFunction(tencent, where);
      await tencent.call('CreateFunction', { ...complete(inputs), Code: { ZipFile: zip } });
      await tencent.active(where);
    };
    return [{ sign: '+', what: `function ${wanted.name}: code (${size}), ${wanted.memorySize} MB, ${wanted.timeout} s`, run: create }];
  }
  for (const key of ['Runtime', 'Type']) {
    if (inputs[key] !== current[key]) {
      const what = `the ${key.toLowerCase()} of ${wanted.name}`;
      throw new Failure('', `${what} is ${current[key]}, and cannot be changed. Remove the function first`);
    }
  }
  const broken = current.Status !== 'Active';
  const steps = [];
  if (broken || sha256 !== currentHash?.toLowerCase() || inputs.Handler !== current.Handler) {
    const { Handler, InstallDependency } = inputs;
    const run = async () => {
      await tencent.call('UpdateFunctionCode', { ...where, Handler, InstallDependency, Code: { ZipFile: zip } });
      await tencent.active(where);
    };
    steps.push({ sign: '~', what: `function ${wanted.name}: code (${size})`, run });
  }
  const config = complete(inputs, current);
  const changed = changes(config, current);
  if (broken || changed.length > 0) {
    // The other keys of the configuration cannot be updated.
    const { Type, DeployMode, Runtime, Handler, InstallDependency, ...rest } = config;
    const run = async () => {
      await tencent.call('UpdateFunctionConfiguration', rest);
      await tencent.active(where);
    };
    steps.push({ sign: '~', what: `function ${wanted.name}: ${changed.join(', ') || 'configuration'}`, run });
  }
  return steps;
}

// tagSteps sets the tags of the file, and leaves others as they are. A tag must be detached before it gets another value.
function tagSteps(tencent, where, wanted, current = []) {
  const actual = Object.fromEntries(current.map(each => [each.TagKey, each.TagValue]));
  const changed = Object.entries(wanted).filter(([key, value]) => differs(value, actual[key]));
  if (changed.length === 0) return [];
  const resource = {
    serviceType: 'scf',
    resourcePrefix: 'namespace',
    resourceIds: [`${where.Namespace}/function/${where.FunctionName}`],
  };
  const tags = changed.map(([key, value]) => ({ TagKey: key, TagValue: String(value) }));
  const run = async () => {
    await tencent.scf.tagClient.detachTags({ ...resource, tags: tags.filter(each => each.TagKey in actual) });
    await tencent.scf.tagClient.attachTags({ ...resource, tags });
  };
  const names = changed.map(([key, value]) => `${key}=${value}`).join(', ');
  return [{ sign: changed.some(([key]) => key in actual) ? '~' : '+', what: `tags of ${where.FunctionName}: ${names}`, run }];
}

// triggerSteps compares the URLs and timers of a function. Triggers of other types that someone added stay.
function triggerSteps(tencent, where, wanted, current) {
  const steps = [];
  const requests = wanted.map(trigger => request(tencent, trigger));
  const same = (a, b) => a.Type === b.Type && (a.Type === 'http' ? a.Qualifier === b.Qualifier : a.TriggerName === b.TriggerName);
  for (const found of current) {
    if ((found.Type !== 'http' && found.Type !== 'timer') || requests.some(each => same(each, found))) continue;
    steps.push({ sign: '-', what: triggerName(where, found), run: () => removeTrigger(tencent, where, found) });
  }
  for (const each of requests) {
    const found = current.find(other => same(each, other));
    const when = each.Type === 'timer' ? `: ${each.TriggerDesc}, ${each.Enable === 'OPEN' ? 'on' : 'off'}` : '';
    const what = triggerName(where, each) + when;
    if (!found) steps.push({ sign: '+', what, run: () => tencent.call('CreateTrigger', each) });
    else if (triggerDiffers(each, found)) steps.push({ sign: '~', what, run: () => changeTrigger(tencent, where, each, found) });
  }
  return steps;
}

// changeTrigger keeps a URL, which callers know, and replaces a timer, because the tool kit does so too.
async function changeTrigger(tencent, where, wanted, found) {
  if (wanted.Type === 'http') {
    await tencent.call('UpdateTrigger', { ...wanted, TriggerName: found.TriggerName });
    return;
  }
  await removeTrigger(tencent, where, found);
  await tencent.call('CreateTrigger', wanted);
}

// request returns the parameters of CreateTrigger.
function request(tencent, { type, functionName, namespace, parameters }) {
  const trigger = new triggerClasses[type]({ credentials: {}, region: tencent.region });
  const { Action, ...rest } = trigger.formatInputs({ inputs: { functionName, namespace, parameters } }).triggerInputs;
  return rest;
}

function triggerName({ FunctionName }, { Type, TriggerName }) {
  return Type === 'http' ? `URL of ${FunctionName}` : `${Type} ${TriggerName} of ${FunctionName}`;
}

function removeTrigger(tencent, where, { Type, TriggerName, TriggerDesc, Qualifier }) {
  return tencent.call('DeleteTrigger', { ...where, Type, TriggerName, TriggerDesc, Qualifier });
}

async function removeFunction(tencent, where) {
  await tencent.call('DeleteFunction', where);
  await tencent.gone(where);
}
