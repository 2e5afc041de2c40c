// A stand-in for Tencent Cloud's API on loopback. It stores functions, triggers, tags, and every request.

import http from 'node:http';
import https from 'node:https';

export class Cloud {
  requests = []; // {host, action, region, parameters}
  #functions = new Map();
  #triggers = [];
  #server = http.createServer((request, response) => this.#answer(request, response));
  #request = https.request;

  // start also redirects every HTTPS request of this process to the stand-in. The tool kit has no setting for the host, and a test
  // must never reach the real one.
  async start() {
    await new Promise(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address();
    https.request = (options, callback) => {
      if (typeof options === 'string' || options instanceof URL) throw new Error(`unexpected request for ${options}`);
      const headers = { ...options.headers, 'x-real-host': options.hostname ?? options.host };
      return http.request({ method: options.method, path: options.path, headers, host: '127.0.0.1', port }, callback);
    };
    return this;
  }

  close() {
    https.request = this.#request;
    this.#server.close();
    this.#server.closeAllConnections();
  }

  // made lists the parameters of all requests for an action.
  made(action) {
    return this.requests.filter(each => each.action === action).map(each => each.parameters);
  }

  async #answer(request, response) {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { Action, Region, Version, Nonce, Timestamp, SecretId, Signature, SignatureMethod, Token, RequestClient, ...parameters } =
      unflatten(new URLSearchParams(body));
    this.requests.push({ host: request.headers['x-real-host'], action: Action, region: Region, parameters });
    const handler = Signature && actions[Action];
    const answer = handler
      ? handler.call(this, parameters)
      : fault('UnsupportedOperation', `${Action} is not an action of a deployment`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ Response: { ...answer, RequestId: `request-${this.requests.length}` } }));
  }

  function({ Namespace, FunctionName }) {
    return this.#functions.get(`${Namespace}/${FunctionName}`);
  }

  keep(parameters) {
    this.#functions.set(`${parameters.Namespace}/${parameters.FunctionName}`, {
      ...this.function(parameters),
      ...parameters,
      Status: 'Active',
      Qualifier: '$LATEST',
      Tags: [],
    });
    return {};
  }

  triggers({ Namespace, FunctionName }) {
    return this.#triggers.filter(each => each.Namespace === Namespace && each.FunctionName === FunctionName);
  }

  addTrigger(trigger) {
    this.#triggers.push(trigger);
  }
}

const fault = (Code, Message) => ({ Error: { Code, Message } });
const missing = fault('ResourceNotFound.FunctionName', 'no such function');
const existing = action =>
  function (parameters) {
    return this.function(parameters) ? action.call(this, parameters) : missing;
  };

const actions = {
  GetFunction: existing(function (parameters) {
    return this.function(parameters);
  }),
  CreateFunction(parameters) {
    return this.function(parameters) ? fault('ResourceInUse.Function', 'it exists') : this.keep(parameters);
  },
  UpdateFunctionCode: existing(function (parameters) {
    return this.keep(parameters);
  }),
  UpdateFunctionConfiguration: existing(function (parameters) {
    return this.keep(parameters);
  }),
  UpdateFunctionEventInvokeConfig: existing(() => ({})),
  GetAlias: existing(() => ({ Name: '$DEFAULT', FunctionVersion: '$LATEST', RoutingConfig: { AdditionalVersionWeights: [] } })),
  ListTriggers: existing(function (parameters) {
    const wanted = Object.fromEntries((parameters.Filters ?? []).map(each => [each.Name, each.Values]));
    const Triggers = this.triggers(parameters).filter(each =>
      ['Type', 'Qualifier'].every(key => !wanted[key] || wanted[key].includes(each[key])),
    );
    return { Triggers, TotalCount: Triggers.length };
  }),
  CreateTrigger: existing(function (parameters) {
    if (this.triggers(parameters).some(each => each.Type === parameters.Type && each.Qualifier === parameters.Qualifier)) {
      return fault('ResourceInUse', 'there is one URL for each version or alias');
    }
    this.addTrigger(parameters.Type === 'timer' ? stored(parameters) : parameters);
    return { TriggerInfo: parameters };
  }),
  UpdateTrigger: existing(() => ({})),
  DescribeTags: () => ({ Tags: [], TotalCount: 0 }),
  DescribeResourceTagsByResourceIds: () => ({ Tags: [], TotalCount: 0 }),
  CreateTag: () => ({}),
  AttachResourcesTag: () => ({}),
};

// stored returns a timer as ListTriggers shows it.
const stored = timer => ({
  ...timer,
  TriggerDesc: JSON.stringify({ cron: timer.TriggerDesc }),
  Enable: timer.Enable === 'OPEN' ? 1 : 0,
});

// unflatten reverses the flat form that the version 1 signature of the API requires: Environment.Variables.0.Key=…
function unflatten(form) {
  const root = {};
  for (const [path, value] of form) {
    const keys = path.split('.');
    const last = keys.pop();
    const parent = keys.reduce((node, key) => (node[key] ??= {}), root);
    parent[last] = value;
  }
  return lists(root);
}

function lists(node) {
  if (typeof node !== 'object') return node;
  const entries = Object.entries(node).map(([key, value]) => [key, lists(value)]);
  return entries.length > 0 && entries.every(([key], index) => key === String(index))
    ? entries.map(([, value]) => value)
    : Object.fromEntries(entries);
}
