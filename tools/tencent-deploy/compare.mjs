// Compares what serverless.yml asks for with what Tencent Cloud reports.

// differs reports whether something of wanted is not in actual. Numbers may be texts, and actual may contain more.
export function differs(wanted, actual) {
  if (Array.isArray(wanted)) {
    return wanted.length !== (actual?.length ?? 0) || wanted.some((item, index) => differs(item, actual[index]));
  }
  if (wanted !== null && typeof wanted === 'object') {
    return Object.entries(wanted).some(([key, value]) => differs(value, actual?.[key]));
  }
  return String(wanted ?? '') !== String(actual ?? '');
}

// The configuration of a function, with the words of serverless.yml. What has a value here is what Tencent is asked to set if the file
// does not name it: it removes a value that the function has.
const configuration = {
  Description: { word: 'description', none: '' },
  MemorySize: { word: 'memorySize', show: true },
  Timeout: { word: 'timeout', show: true },
  InitTimeout: { word: 'initTimeout', show: true },
  Role: { word: 'role', show: true },
  PublicNetConfig: { word: 'publicAccess or eip' },
  VpcConfig: { word: 'vpcConfig', none: { VpcId: '', SubnetId: '' } },
  DeadLetterConfig: { word: 'deadLetter', none: { Type: '', Name: '' } },
  Layers: { word: 'layers' },
  CfsConfig: { word: 'cfs' },
  ClsLogsetId: { word: 'cls.logsetId' },
  ClsTopicId: { word: 'cls.topicId' },
};

// complete returns the configuration to send: what the file does not name and the function has is removed.
export function complete(wanted, actual = {}) {
  const config = { ...wanted };
  for (const [key, { none }] of Object.entries(configuration)) {
    if (none === undefined) continue;
    const empty = config[key] === undefined || Object.keys(config[key]).length === 0;
    if (empty && differs(none, actual[key])) config[key] = none;
    else if (empty) delete config[key];
  }
  return config;
}

// changes lists the differences of the configuration, one text for each. Of variables only the names are shown: a value may be an
// address with a token in it.
export function changes(wanted, actual) {
  const found = [];
  for (const [key, { word, show }] of Object.entries(configuration)) {
    if (wanted[key] === undefined || !differs(wanted[key], actual[key])) continue;
    found.push(show ? `${word}: ${actual[key] ?? 'none'} -> ${wanted[key]}` : `${word} changed`);
  }
  return [...found, ...variableChanges(byKey(wanted.Environment?.Variables), byKey(actual.Environment?.Variables))];
}

const byKey = list => Object.fromEntries((list ?? []).filter(each => each.Key).map(each => [each.Key, each.Value]));

function variableChanges(wanted, actual) {
  const added = Object.keys(wanted).filter(key => !(key in actual));
  const removed = Object.keys(actual).filter(key => !(key in wanted));
  const changed = Object.keys(wanted).filter(key => key in actual && wanted[key] !== actual[key]);
  return [
    ...added.map(key => `variable ${key} added`),
    ...changed.map(key => `variable ${key} changed`),
    ...removed.map(key => `variable ${key} removed`),
  ];
}

// triggerDiffers compares a request for a trigger with one that exists. Tencent lists Enable as 0 or 1, and the time of a timer as JSON.
export function triggerDiffers(wanted, actual) {
  const on = { 1: 'OPEN', 0: 'CLOSE' }[actual.Enable] ?? actual.Enable;
  if (wanted.Enable !== on) return true;
  const description = parsed(actual.TriggerDesc);
  if (wanted.Type === 'http') return differs(JSON.parse(wanted.TriggerDesc), description);
  return wanted.TriggerDesc !== (description.cron ?? actual.TriggerDesc) || differs(wanted.CustomArgument, actual.CustomArgument);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {}; // a plain text, such as 0 * * * * * *
  }
}
