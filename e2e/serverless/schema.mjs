// The schema of serverless.yml. It is needed because the tool kit ignores unknown keys, and the platform ignores many wrong values.
// Keys and limits are from the documentation:
//
//   multi-scf   https://cloud.tencent.com/document/product/1154/129052, and docs/configure.md of
//               https://github.com/serverless-components/tencent-multi-scf
//   scf         https://cloud.tencent.com/document/product/1154/43228 (the http event, msgTTL, retryNum)
//   limits      https://cloud.tencent.com/document/product/583/11637, https://cloud.tencent.com/document/product/583/18586 (CreateFunction)
//   URL         https://cloud.tencent.com/document/product/583/100227
//   timer       https://tencentcloud.com/document/product/583/9708
//
// It is for the file after the deployment has replaced the variables.

const object = (properties, required = []) => ({ type: 'object', properties, required, additionalProperties: false });
const list = items => ({ type: 'array', items, minItems: 1 });
const text = { type: 'string', minLength: 1, not: { pattern: 'undefined|\\$\\{' } };
const flag = { type: 'boolean' };

const environment = object(
  {
    variables: {
      type: 'object',
      propertyNames: { pattern: '^(?!SCF_|QCLOUD_|TENCENTCLOUD_)[A-Za-z][A-Za-z0-9_]*$' },
      additionalProperties: text,
    },
  },
  ['variables'],
);

// All keys that the documentation of the older component has for one function. In the public source a function inherits only four keys
// of the inputs, so the inputs must not have the others: they would have no effect. A src for each function is not allowed because of
// the executable bit, and asyncRunEnable because it is for long jobs and turns retries off.
const own = {
  name: { ...text, pattern: '^[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]$' },
  handler: { ...text, pattern: '^[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]$' }, // Go: the name of the binary, without a dot
  description: { ...text, maxLength: 1000, pattern: '^[A-Za-z0-9 ,.]*$' },
  role: text,
  memorySize: { type: 'integer', anyOf: [{ const: 64 }, { multipleOf: 128, minimum: 128, maximum: 3072 }] },
  timeout: { type: 'integer', minimum: 1, maximum: 900 },
  initTimeout: { type: 'integer', minimum: 3, maximum: 300 },
  publicAccess: flag,
  eip: flag,
  environment,
  // The tag reserved_mb is the memory to reserve, which the deployment sets.
  tags: {
    type: 'object',
    properties: { reserved_mb: { ...text, pattern: '^[0-9]+$' } },
    required: ['reserved_mb'],
    additionalProperties: text,
  },
  cls: object({ logsetId: text, topicId: text }, ['logsetId', 'topicId']),
  // Both or neither: without a private network both keys are removed.
  vpcConfig: { anyOf: [object({}), object({ vpcId: text, subnetId: text }, ['vpcId', 'subnetId'])] },
  layers: list(object({ name: text, version: { type: 'integer' } }, ['name', 'version'])),
  deadLetter: object({ type: { enum: ['CMQ-QUEUE', 'CMQ-TOPIC'] }, name: text, filterType: text }, ['type', 'name']),
  msgTTL: { type: 'integer', minimum: 1 }, // seconds
  retryNum: { type: 'integer', minimum: 0 },
};

const functions = {
  type: 'object',
  minProperties: 1,
  propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]*$' },
  additionalProperties: object(own, [
    'name',
    'handler',
    'role',
    'memorySize',
    'tags',
    'timeout',
    'initTimeout',
    'publicAccess',
    'environment',
  ]),
};

const cors = object({
  enable: flag,
  origins: list(text),
  methods: list(text),
  headers: list(text),
  exposeHeaders: list(text),
  maxAge: { type: 'integer' },
  credentials: flag,
});

const url = object(
  {
    type: { const: 'http' },
    function: text,
    parameters: object(
      {
        name: text,
        enable: flag,
        qualifier: text,
        authType: { enum: ['NONE', 'CAM'] },
        corsConfig: cors,
        netConfig: object({ enableExtranet: flag, enableIntranet: flag }, ['enableExtranet', 'enableIntranet']),
      },
      ['qualifier', 'authType', 'netConfig'],
    ),
  },
  ['type', 'function', 'parameters'],
);

const timer = object(
  {
    type: { const: 'timer' },
    function: text,
    parameters: object(
      {
        name: text,
        qualifier: text,
        cronExpression: { ...text, pattern: '^(\\S+ ){6}\\S+$' }, // seven fields
        argument: text,
        enable: text, // the tool kit turns the timer on if there is a value
      },
      ['name', 'qualifier', 'cronExpression', 'argument'],
    ),
  },
  ['type', 'function', 'parameters'],
);

export const schema = object(
  {
    app: text,
    stage: { ...text, pattern: '^[a-z0-9-]+$' },
    component: { const: 'multi-scf' },
    name: text,
    inputs: object(
      {
        src: object({ src: text, exclude: list(text) }, ['src']),
        region: { ...text, pattern: '^[a-z]+-[a-z]+(-[a-z0-9]+)*$' },
        namespace: text,
        type: { enum: ['event', 'web'] },
        runtime: { enum: ['Go1', 'CustomRuntime'] },
        functions,
        triggers: list({ if: { properties: { type: { const: 'timer' } } }, then: timer, else: url }),
        ignoreTriggers: flag,
      },
      ['src', 'region', 'type', 'runtime', 'functions', 'triggers'],
    ),
  },
  ['app', 'stage', 'component', 'name', 'inputs'],
);
