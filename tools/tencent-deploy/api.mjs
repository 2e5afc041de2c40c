// Calls Tencent Cloud's API: version 3 of the signature, JSON, and TLS with a verified certificate.
//
// The tool kit's own client (@tencent-sdk/capi 1.1.8) does not verify certificates, and its signature allows requests of 1 MB only. Its
// calls therefore go through this one. Nothing here prints or returns a credential.
//
// Source: https://www.tencentcloud.com/document/product/583/33846

import { createHash, createHmac } from 'node:crypto';

const sha256 = text => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

// sign returns the header Authorization for a request.
export function sign({ secretId, secretKey, service, host, contentType, body, time }) {
  const date = new Date(time * 1000).toISOString().slice(0, 10);
  const canonical = `POST\n/\n\ncontent-type:${contentType}\nhost:${host}\n\ncontent-type;host\n${sha256(body)}`;
  const scope = `${date}/${service}/tc3_request`;
  const text = `TC3-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
  const key = [date, service, 'tc3_request'].reduce(hmac, `TC3${secretKey}`);
  const signature = hmac(key, text).toString('hex');
  return `TC3-HMAC-SHA256 Credential=${secretId}/${scope}, SignedHeaders=content-type;host, Signature=${signature}`;
}

// The limit of one request with version 3 of the signature.
export const maxRequest = 10 * 1024 * 1024;

export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Api {
  #credentials;
  #base;
  #region;

  // base is https://tencentcloudapi.com, or https://intl.tencentcloudapi.com for accounts of the international site.
  constructor({ credentials, region, base = 'https://tencentcloudapi.com' }) {
    const url = URL.canParse(base) ? new URL(base) : undefined;
    const loopback = url && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
    if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) || url.pathname !== '/') {
      throw new Error('TENCENT_API must be like https://intl.tencentcloudapi.com, without a path');
    }
    this.#base = { url, loopback };
    this.#credentials = credentials;
    this.#region = region;
  }

  // call returns the Response of an action. Its errors are Failures with Tencent's code.
  async call(service, version, action, parameters) {
    const { url, loopback } = this.#base;
    const host = loopback ? url.host : `${service}.${url.host}`;
    const contentType = 'application/json';
    const body = JSON.stringify(parameters);
    const time = Math.floor(Date.now() / 1000);
    const { secretId, secretKey, token } = this.#credentials;
    const headers = {
      'content-type': contentType,
      authorization: sign({ secretId, secretKey, service, host, contentType, body, time }),
      'x-tc-action': action,
      'x-tc-version': version,
      'x-tc-region': this.#region,
      'x-tc-timestamp': String(time),
      ...(token && { 'x-tc-token': token }),
    };
    const response = await this.#send(`${url.protocol}//${host}/`, action, { method: 'POST', headers, body });
    if (response.Error) throw new Failure(response.Error.Code, response.Error.Message);
    return response;
  }

  async #send(address, action, request) {
    let response;
    try {
      response = await fetch(address, { ...request, redirect: 'error', signal: AbortSignal.timeout(120_000) });
    } catch (error) {
      throw new Failure('', `${action}: ${address} could not be reached: ${error.cause?.message ?? error.message}`);
    }
    const text = await response.text();
    try {
      return JSON.parse(text).Response;
    } catch {
      throw new Failure('', `${action}: the answer of ${address} has status ${response.status} and is not JSON`);
    }
  }

  // serve makes the clients of the tool kit use this one.
  serve(Capi) {
    const call = this.call.bind(this);
    Capi.prototype.request = async function ({ Action, Version, ...parameters }, { host }) {
      return { Response: await call(host.split('.')[0], Version, Action, parameters) };
    };
  }
}

// What to do about an error of Tencent, by the beginning of its code.
const advice = {
  'AuthFailure.SecretIdNotFound':
    'Check TENCENT_SECRET_ID. A key of the international site (tencentcloud.com) needs TENCENT_API=https://intl.tencentcloudapi.com.',
  'AuthFailure.InvalidSecretId': 'Check TENCENT_SECRET_ID: it is not the id of an API key.',
  'AuthFailure.SignatureFailure': 'TENCENT_SECRET_KEY does not belong to TENCENT_SECRET_ID.',
  'AuthFailure.SignatureExpire': 'Set the clock of this machine: it is more than five minutes wrong.',
  'AuthFailure.TokenFailure': 'TENCENT_TOKEN does not belong to TENCENT_SECRET_ID, or it has expired. A permanent key has none: unset it.',
  AuthFailure: 'The account lacks the permission: see "What you need" in docs/deploy-tencent.md.',
  UnauthorizedOperation: 'The account lacks the permission: see "What you need" in docs/deploy-tencent.md.',
  UnsupportedRegion: 'Check TENCENT_REGION.',
};

// describe returns the text of an error, with Tencent's code and what to do.
export function describe(error) {
  const message = error.message.replace(/^\[\w+\] /, ''); // the tool kit puts the service before it
  if (!error.code) return message;
  const found = Object.keys(advice).find(code => error.code === code || error.code.startsWith(`${code}.`));
  return `${error.code}: ${message}${found ? `\n${advice[found]}` : ''}`;
}
