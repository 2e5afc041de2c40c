// Reads and waits for functions at Tencent Cloud.

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from './api.mjs';

const require = createRequire(import.meta.url);
const { Scf } = require('tencent-component-toolkit');
const { Capi } = require('@tencent-sdk/capi');

const version = '2018-04-16'; // of the API of SCF: https://cloud.tencent.com/document/api/583/17234

export class Tencent {
  // pause is the time between two looks at a function, in milliseconds.
  constructor({ api, region, pause = 500 }) {
    api.serve(Capi);
    this.api = api;
    this.region = region;
    this.pause = pause;
    // The credentials stay in api: the tool kit needs none.
    this.scf = new Scf({}, region);
  }

  // call makes a call of SCF that the tool kit does not have, or passes on.
  call(action, parameters) {
    return this.api.call('scf', version, action, parameters);
  }

  // function returns a function, or undefined.
  async function(where) {
    try {
      return await this.call('GetFunction', { ...where, ShowCode: 'FALSE' });
    } catch (error) {
      if (error.code === 'ResourceNotFound.Function' || error.code === 'ResourceNotFound.FunctionName') return undefined;
      throw error;
    }
  }

  // settled waits until Tencent is not working on a function any more, and returns it, or undefined. That takes seconds.
  async settled(where) {
    for (let looks = 0; looks < 600; looks++) {
      const found = await this.function(where);
      if (!['Creating', 'Updating', 'Publishing', 'Deleting'].includes(found?.Status)) return found;
      await sleep(this.pause);
    }
    throw new Failure('', `the function ${where.FunctionName} has been busy for five minutes. Look at it in the SCF console`);
  }

  // active waits like settled, and fails if the function cannot run.
  async active(where) {
    const { Status, StatusReasons } = (await this.settled(where)) ?? {};
    if (Status === 'Active') return;
    const reasons = (StatusReasons ?? []).map(each => each.ErrorMessage).join('; ');
    throw new Failure('', `the function ${where.FunctionName} is ${Status ?? 'gone'}${reasons && `: ${reasons}`}`);
  }

  // gone waits until a function is removed.
  async gone(where) {
    if (await this.settled(where)) throw new Failure('', `the function ${where.FunctionName} is still there`);
  }

  // state returns all that a deployment of a function compares.
  async state(where) {
    const config = await this.settled(where);
    if (!config) return { triggers: [] };
    const [{ CodeSha256 }, { ReservedMem }, { AsyncTriggerConfig }, tags, triggers] = await Promise.all([
      this.call('GetFunctionAddress', where),
      this.call('GetReservedConcurrencyConfig', where),
      this.call('GetFunctionEventInvokeConfig', { ...where, Qualifier: '$LATEST' }),
      this.scf.tagClient.getScfResourceTags({ namespace: where.Namespace, functionName: where.FunctionName }),
      this.triggers(where),
    ]);
    return { config, sha256: CodeSha256, reserved: ReservedMem, retries: AsyncTriggerConfig, tags, triggers };
  }

  async triggers(where) {
    const { Triggers } = await this.call('ListTriggers', { ...where, Limit: 100 });
    return Triggers ?? [];
  }

  // url returns the public URL of a function. It may take a few seconds to appear.
  async url(where) {
    for (let looks = 0; looks < 20; looks++) {
      for (const trigger of await this.triggers(where)) {
        const url = trigger.Type === 'http' && JSON.parse(trigger.TriggerDesc).NetConfig?.ExtranetUrl;
        if (url) return url;
      }
      await sleep(this.pause);
    }
    return undefined;
  }
}
