// What the CLI and the component do to serverless.yml before the tool kit gets it. Neither can run here: the component runs in
// Tencent's cloud, and the CLI only calls it. Both are short and public, and this file follows them step by step.
//
//   CLI: github.com/Serverlesstencent/serverless-cloud-framework, src/libs/utils/basic.js (resolveVariables) and config.js (.env)
//   component: github.com/serverless-components/tencent-multi-scf 0.3.10, src/formatter.ts (formatInputs) and src/index.ts (deploy)

import { createRequire } from 'node:module';
import yaml from 'js-yaml';

const { Scf, TriggerManager } = createRequire(import.meta.url)('tencent-component-toolkit');

// instance reads the text of a serverless.yml as `scf deploy` does with this environment. ${env:NAME} is replaced on the deployer's
// machine: if it is unset, its key is removed; inside a longer value it becomes the word undefined. ${stage}, ${app} and ${name} are
// replaced by the platform.
export function instance(text, environment) {
  const file = yaml.load(text);
  file.stage ||= 'dev';
  file.app ||= file.name;
  const env = name => environment[name];
  const own = name => ({ stage: file.stage, app: file.app, name: file.name })[name];
  return each(file, value => {
    const alone = /^\$\{env:([\w.-]+)\}$/.exec(value);
    if (alone) return env(alone[1]);
    return value.replace(/\$\{env:([\w.-]+)\}/g, (_, name) => String(env(name))).replace(/\$\{(stage|app|name)\}/g, (_, name) => own(name));
  });
}

function each(value, replace) {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map(item => each(item, replace));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, each(item, replace)])
      .filter(([, item]) => item !== undefined),
  );
}

// The archive that the component puts into its own bucket. The upload is not tested here.
export const code = { bucket: 'sls-cloudfunction-code', object: 'giftstats.zip' };

// formatInputs converts the file to the input of the tool kit. Every function inherits only these four inputs; its own src would be
// extracted and zipped again; everything else reaches the tool kit unchanged.
export function formatInputs({ app, stage, name, inputs }) {
  const common = {
    type: inputs.type ?? 'event',
    namespace: inputs.namespace ?? 'default',
    runtime: inputs.runtime ?? 'Nodejs12.16',
    description: inputs.description ?? '',
  };
  const functions = Object.entries(inputs.functions).map(([key, own]) => {
    if (own.src !== undefined)
      throw new Error(`functions.${key}.src: the component would zip that folder again and lose the executable bit`);
    return { ...common, ...own, key, name: own.name ?? `${name}-${stage}-${app}-${key}`, code };
  });
  const named = key => {
    const found = functions.find(each => each.key === key);
    if (!found) throw new Error(`a trigger names the function ${key}, which does not exist`);
    return { name: found.name, type: found.type };
  };
  const triggers = (inputs.triggers ?? []).map(each => {
    if (each.type === 'apigw') throw new Error('there is no API Gateway any more');
    return { ...each, namespace: inputs.namespace ?? 'default', function: named(each.function) };
  });
  return { region: inputs.region ?? 'ap-guangzhou', functions: functions.map(({ key, ...rest }) => rest), triggers };
}

// deploy runs the tool kit's own code: first each function, then the triggers.
export async function deploy(file, credentials) {
  const { region, functions, triggers } = formatInputs(file);
  const scf = new Scf(credentials, region);
  for (const inputs of structuredClone(functions)) await scf.deploy(inputs);
  await new TriggerManager(credentials, region).bulkCreateTriggers(structuredClone(triggers));
}

// retries sends the retry settings of the file. deploy does not: the tool kit has the call, but makes it only for functions with
// asyncRunEnable.
export async function retries(file, credentials) {
  const { region, functions } = formatInputs(file);
  for (const inputs of functions.filter(each => each.msgTTL !== undefined || each.retryNum !== undefined)) {
    await new Scf(credentials, region).scf.updateAsyncRetry(inputs);
  }
}
