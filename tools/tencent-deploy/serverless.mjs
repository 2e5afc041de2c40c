// Reads serverless.yml as Tencent's CLI and the component multi-scf do:
//
//   - ${env:NAME} is replaced by a variable of the environment or of .env. If it is the whole value and not set, its key is removed;
//   - ${stage}, ${app} and ${name} are replaced by the keys of the file;
//   - a function inherits type, namespace, runtime and description from the inputs.
//
// Sources: src/libs/utils/basic.js of https://github.com/Serverlesstencent/serverless-cloud-framework, and src/formatter.ts of
// https://github.com/serverless-components/tencent-multi-scf (0.3.10)

import fs from 'node:fs';
import path from 'node:path';
import yaml from 'js-yaml';

// readVariables returns the variables of the environment and of .env.STAGE, or .env, in a folder. A variable of the environment
// overrides the file, even if it is empty.
export function readVariables(folder, stage, environ) {
  const file = [`.env.${stage}`, '.env'].find(name => fs.existsSync(path.join(folder, name)));
  const variables = {};
  for (const line of file ? fs.readFileSync(path.join(folder, file), 'utf8').split('\n') : []) {
    const [, name, value] = /^\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name) variables[name] = /^(['"])(.*)\1$/.exec(value)?.[2] ?? value;
  }
  return { file: file ?? '.env', variables: { ...variables, ...environ } };
}

// stageOf returns the stage that the text of a serverless.yml names.
export function stageOf(text) {
  return yaml.load(text)?.stage ?? 'dev';
}

// references lists the variables that the text uses, with whether each is somewhere only a part of a value. Such a variable is needed.
export function references(text) {
  const found = new Map();
  visit(yaml.load(text), value => {
    for (const [reference, name] of value.matchAll(/\$\{env:([^}]*)\}/g)) {
      found.set(name, { name, part: (found.get(name)?.part ?? false) || reference !== value });
    }
    return value;
  });
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

// instance returns the file with all values replaced. Without a stage it is that of the file.
export function instance(text, variables, stage) {
  const file = yaml.load(text);
  file.stage = stage ?? file.stage ?? 'dev';
  file.app ??= file.name;
  const own = { stage: file.stage, app: file.app, name: file.name };
  return visit(file, value => {
    const alone = /^\$\{env:([\w.-]+)\}$/.exec(value);
    if (alone) return variables[alone[1]];
    return value
      .replace(/\$\{env:([\w.-]+)\}/g, (_, name) => String(variables[name]))
      .replace(/\$\{(stage|app|name)\}/g, (_, name) => own[name]);
  });
}

// visit replaces every text in a value. It removes what is replaced by undefined.
function visit(value, replace) {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map(item => visit(item, replace));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, visit(item, replace)])
      .filter(([, item]) => item !== undefined),
  );
}

// wanted converts the file to the input of the tool kit: the functions, and each trigger with the name of its function.
export function wanted({ app, stage, name, inputs }) {
  const namespace = inputs.namespace ?? 'default';
  const common = { type: inputs.type ?? 'event', namespace, runtime: inputs.runtime, description: inputs.description ?? '' };
  const functions = Object.entries(inputs.functions).map(([key, own]) => {
    if (own.src !== undefined) throw new Error(`serverless.yml: functions.${key}.src is not supported: use inputs.src.src for all`);
    return { ...common, ...own, key, name: own.name ?? `${name}-${stage}-${app}-${key}` };
  });
  const triggers = (inputs.triggers ?? []).map(({ type, function: key, parameters }) => {
    const target = functions.find(each => each.key === key);
    if (!target) throw new Error(`serverless.yml: a trigger names the function ${key}, which does not exist`);
    if (type !== 'http' && type !== 'timer') throw new Error(`serverless.yml: triggers of the type ${type} are not supported`);
    return { type, key, functionName: target.name, namespace, parameters };
  });
  return { region: inputs.region, namespace, folder: inputs.src.src, functions, triggers };
}
