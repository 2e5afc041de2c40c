// A stand-in for Tencent Cloud's API on loopback. It keeps functions, triggers, tags and reserved memory, verifies each signature as
// https://www.tencentcloud.com/document/product/583/33846 describes, and stores every request. Responses have the fields that the
// documentation of each action lists: https://cloud.tencent.com/document/api/583/17234

import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';

// Not real. The deployment gets them from its environment.
export const credentials = {
  TENCENT_SECRET_ID: 'AKIDNOTREAL',
  TENCENT_SECRET_KEY: 'not-real-secret-key',
  TENCENT_TOKEN: 'not-real-token',
};

export class Cloud {
  requests = []; // {service, action, region, parameters}
  failures = []; // {action, of, code, message}: the next call of an action for the function fails once
  busy = 0; // how often a function is reported as busy after each change
  hidden = 0; // how often the URL of a new trigger is missing
  #functions = new Map();
  // Connections stay open, because a client on a busy machine could send a request just when one is closed.
  #server = http.createServer({ keepAliveTimeout: 600_000 }, (request, response) => this.#answer(request, response));

  async start(port = 0) {
    await new Promise(resolve => this.#server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  // made lists the parameters of all requests for an action.
  made(action) {
    return this.requests.filter(each => each.action === action).map(each => each.parameters);
  }

  // changed lists the actions that change something.
  get changed() {
    return this.requests.map(each => each.action).filter(action => /^(Create|Update|Delete|Put|Attach|Detach)/.test(action));
  }

  // functions lists what exists, by name.
  get functions() {
    return Object.fromEntries([...this.#functions.values()].map(each => [each.config.FunctionName, each]));
  }

  async #answer(request, response) {
    let body = '';
    for await (const chunk of request) body += chunk;
    const action = request.headers['x-tc-action'];
    const [, service] = /\/(\w+)\/tc3_request/.exec(request.headers.authorization) ?? [];
    const refused = verify(request, service, body);
    const answer = refused ?? this.#act(service, action, request.headers['x-tc-region'], JSON.parse(body));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ Response: { ...answer, RequestId: `request-${this.requests.length}` } }));
  }

  #act(service, action, region, parameters) {
    this.requests.push({ service, action, region, parameters });
    const index = this.failures.findIndex(each => each.action === action && (!each.of || each.of === parameters.FunctionName));
    if (index >= 0) {
      const [{ code, message }] = this.failures.splice(index, 1);
      return fault(code, message);
    }
    const found = this.#functions.get(`${parameters.Namespace}/${parameters.FunctionName}`);
    if (service === 'tag') return tagActions[action]?.call(this, parameters) ?? fault('InvalidAction', action);
    if (action === 'CreateFunction') return this.#create(parameters, found);
    if (!found) return fault('ResourceNotFound.Function', `[FunctionName] ${parameters.FunctionName} is not found`);
    if (action === 'DeleteFunction') {
      this.#functions.delete(`${parameters.Namespace}/${parameters.FunctionName}`);
      return {};
    }
    return actions[action]?.call(this, found, parameters) ?? fault('InvalidAction', `${action} is not an action of a deployment`);
  }

  #create({ Code, Tags, ...parameters }, found) {
    if (found) return fault('ResourceInUse.Function', `[FunctionName] ${parameters.FunctionName} exists`);
    this.#functions.set(`${parameters.Namespace}/${parameters.FunctionName}`, {
      config: { ...defaults, ...parameters },
      archive: Buffer.from(Code.ZipFile, 'base64'),
      busy: this.busy,
      tags: {},
      triggers: [],
      retries: { RetryConfig: [{ RetryNum: 2 }], MsgTTL: 21600 },
    });
    return {};
  }

  // tagged returns the function of a resource such as default/function/giftstats-prod-api.
  tagged(resource) {
    return this.#functions.get(resource.replace('/function/', '/'));
  }
}

// What GetFunction reports for a function without these settings.
const defaults = {
  Qualifier: '$LATEST',
  VpcConfig: { VpcId: '', SubnetId: '' },
  DeadLetterConfig: { Type: '', Name: '', FilterType: '' },
};

const fault = (Code, Message) => ({ Error: { Code, Message } });

const actions = {
  GetFunction(found) {
    const { EipStatus } = found.config.PublicNetConfig.EipConfig;
    const PublicNetConfig = { ...found.config.PublicNetConfig, EipConfig: { EipStatus, EipAddress: [] } };
    const Status = found.status ?? (found.busy-- > 0 ? 'Updating' : 'Active');
    return { ...found.config, PublicNetConfig, Status, StatusReasons: found.reasons ?? [] };
  },
  GetFunctionAddress: ({ archive }) => ({
    Url: 'https://not-real.example/archive',
    CodeSha256: createHash('sha256').update(archive).digest('hex'),
  }),
  UpdateFunctionCode(found, { Code, Handler }) {
    Object.assign(found, { archive: Buffer.from(Code.ZipFile, 'base64'), busy: this.busy });
    found.config.Handler = Handler;
    return {};
  },
  UpdateFunctionConfiguration(found, parameters) {
    Object.assign(found.config, parameters);
    found.busy = this.busy;
    return {};
  },
  GetReservedConcurrencyConfig: ({ reserved }) => ({ ReservedMem: reserved ?? null }),
  PutReservedConcurrencyConfig(found, { ReservedConcurrencyMem }) {
    found.reserved = ReservedConcurrencyMem;
    return {};
  },
  GetFunctionEventInvokeConfig: ({ retries }) => ({ AsyncTriggerConfig: retries }),
  UpdateFunctionEventInvokeConfig(found, { AsyncTriggerConfig }) {
    found.retries = AsyncTriggerConfig;
    return {};
  },
  ListTriggers(found) {
    const Triggers = found.triggers.map(each => listed(found, each, each.hidden-- > 0));
    return { Triggers, TotalCount: Triggers.length };
  },
  CreateTrigger(found, { Namespace, FunctionName, ...trigger }) {
    if (found.triggers.some(each => each.Type === 'http' && trigger.Type === 'http' && each.Qualifier === trigger.Qualifier)) {
      return fault('ResourceInUse', 'there is one URL for each version or alias');
    }
    found.triggers.push({ ...trigger, hidden: this.hidden });
    return { TriggerInfo: { ...trigger, Enable: trigger.Enable === 'OPEN' ? 1 : 0 } };
  },
  UpdateTrigger(found, { Namespace, FunctionName, ...trigger }) {
    const existing = found.triggers.find(each => each.TriggerName === trigger.TriggerName && each.Type === trigger.Type);
    return existing ? Object.assign(existing, trigger) && {} : fault('ResourceNotFound.Trigger', 'no such trigger');
  },
  DeleteTrigger(found, { TriggerName, Type, Qualifier }) {
    const before = found.triggers.length;
    found.triggers = found.triggers.filter(
      each => each.TriggerName !== TriggerName || each.Type !== Type || each.Qualifier !== Qualifier,
    );
    return before === found.triggers.length ? fault('ResourceNotFound.Trigger', 'no such trigger') : {};
  },
};

const tagActions = {
  DescribeTags: () => ({ Tags: [], TotalCount: 0 }),
  CreateTag: () => ({}),
  DescribeResourceTagsByResourceIds({ ResourceIds: [resource] }) {
    const Tags = Object.entries(this.tagged(resource)?.tags ?? {}).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    return { Tags, TotalCount: Tags.length };
  },
  AttachResourcesTag({ ResourceIds: [resource], TagKey, TagValue }) {
    const { tags } = this.tagged(resource);
    if (TagKey in tags) return fault('FailedOperation.TagAttachedFailed', 'the resource has this tag');
    tags[TagKey] = TagValue;
    return {};
  },
  DetachResourcesTag({ ResourceIds: [resource], TagKey }) {
    delete this.tagged(resource).tags[TagKey];
    return {};
  },
};

// listed returns a trigger as ListTriggers shows it: a timer with its time as JSON, and a URL with its address.
function listed({ config }, { hidden, ...trigger }, withoutURL) {
  const Enable = trigger.Enable === 'OPEN' ? 1 : 0;
  if (trigger.Type === 'timer') return { ...trigger, Enable, TriggerDesc: JSON.stringify({ cron: trigger.TriggerDesc }) };
  const description = JSON.parse(trigger.TriggerDesc);
  const id = createHash('sha256').update(config.FunctionName).digest('hex').slice(0, 10);
  const ExtranetUrl = withoutURL ? '' : `https://1250000000-${id}.ap-singapore.tencentscf.com`;
  return { ...trigger, Enable, TriggerDesc: JSON.stringify({ ...description, NetConfig: { ...description.NetConfig, ExtranetUrl } }) };
}

// verify returns a failure unless the request is signed with the credentials above.
function verify(request, service, body) {
  const { authorization = '', host, 'content-type': type, 'x-tc-timestamp': time, 'x-tc-token': token } = request.headers;
  const [, id, scope, signature] =
    /^TC3-HMAC-SHA256 Credential=([^/]+)\/(\S+), SignedHeaders=content-type;host, Signature=(\w+)$/.exec(authorization) ?? [];
  if (id !== credentials.TENCENT_SECRET_ID) return fault('AuthFailure.SecretIdNotFound', 'The SecretId is not found.');
  if (token !== credentials.TENCENT_TOKEN) return fault('AuthFailure.TokenFailure', 'The token is not valid.');
  const hash = text => createHash('sha256').update(text).digest('hex');
  const keyed = (key, text) => createHmac('sha256', key).update(text).digest();
  const canonical = ['POST', '/', '', `content-type:${type}`, `host:${host}`, '', 'content-type;host', hash(body)].join('\n');
  const date = new Date(time * 1000).toISOString().slice(0, 10);
  const key = keyed(keyed(keyed(`TC3${credentials.TENCENT_SECRET_KEY}`, date), service), 'tc3_request');
  const expected = keyed(key, ['TC3-HMAC-SHA256', time, scope, hash(canonical)].join('\n')).toString('hex');
  return signature === expected ? undefined : fault('AuthFailure.SignatureFailure', 'The signature is not correct.');
}
