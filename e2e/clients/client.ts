// Calls the local server with the client that openapi-typescript and openapi-fetch make of the OpenAPI document. It does not compile
// if the document loses a type that callers rely on.

import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths, webhooks } from './schema.js';

type ErrorCode = components['schemas']['ErrorCode'];
type Summary = webhooks['stream.summary']['post']['requestBody']['content']['application/json'];

const { URL: baseUrl, API_KEY, USERSIG, HOST: host, ROOMS } = process.env as Record<string, string>;
const rooms = ROOMS.split(' ');
const room_id = rooms[0];

const client = (authorization: string) => createClient<paths>({ baseUrl, headers: { Authorization: authorization } });
const backOffice = client(`Bearer ${API_KEY}`);
const appUser = client('Basic ' + Buffer.from(`${host}:${USERSIG}`).toString('base64'));

// codeOf returns the code of an error. It has the type of the documented codes only.
function codeOf(error: components['schemas']['Problem'] | undefined): ErrorCode {
  assert.ok(error, 'the request succeeded');
  return error.code;
}

{
  const query = { room_id, account: host };
  const { data, response } = await backOffice.GET('/v1/gift-stats', { params: { query } });
  assert.equal(data?.total_coins, 7);
  assert.ok(response.headers.get('X-Request-Id'));
  const own = await appUser.GET('/v1/gift-stats', { params: { query: { room_id }, header: { 'Cache-Control': 'max-age=60' } } });
  assert.equal(own.data?.total_coins, 7);
  const source: 'upstream' | 'ledger' | 'room' | 'snapshot' | undefined = own.data?.from;
  assert.equal(source, undefined);
}

{
  const queries = [
    { room_id, account: host },
    { room_id: 'no-such-room', account: host },
  ];
  const { data } = await backOffice.POST('/v1/gift-stats', { body: { queries } });
  assert.equal(data?.succeeded, 1);
  const [first, second] = data.results;
  assert.ok(!('error' in first) && first.total_count === 1);
  assert.ok('error' in second);
  assert.equal(codeOf(second.error), 'room_not_found');
}

{
  const { data } = await backOffice.GET('/v1/room-stats', { params: { query: { room_id } } });
  assert.equal(data?.total_gift_coins, 7);
}

{
  const refused = await client('Bearer wrong').GET('/v1/gift-stats', { params: { query: { room_id, account: host } } });
  assert.equal(refused.response.status, 401);
  assert.equal(codeOf(refused.error), 'unauthenticated');
  const forbidden = await appUser.GET('/v1/room-stats', { params: { query: { room_id } } });
  assert.equal(codeOf(forbidden.error), 'forbidden');
  const missing = await backOffice.GET('/v1/gift-stats', { params: { query: { room_id: 'no-such-room', account: host } } });
  assert.equal(missing.response.status, 404);
  assert.equal(codeOf(missing.error), 'room_not_found');
  assert.equal(missing.error?.upstream?.error_code, 100004);
  const invalid = await backOffice.GET('/v1/gift-stats', { params: { query: { room_id } } });
  assert.equal(invalid.response.status, 400);
  const code = codeOf(invalid.error);
  assert.equal(code, 'invalid_request');
  // @ts-expect-error: there is no such code.
  assert.notEqual<ErrorCode>(code, 'no_such_code');
  // @ts-expect-error: a room is required.
  await backOffice.GET('/v1/room-stats', { params: { query: {} } });
}

{
  const { data } = await backOffice.GET('/v1/top-senders', { params: { query: { room_id, limit: 3 } } });
  const [first] = data?.senders ?? [];
  assert.equal(first?.account, 'viewer');
  assert.equal(first.rank, 1);
}

for (const ended of rooms) {
  const body = { event_id: `end-of-${ended}`, room_id: ended, accounts: [host], reason: null };
  const { data, response } = await backOffice.POST('/v1/stream-ends', { body });
  assert.equal(response.status, 200);
  assert.ok(data && 'type' in data, 'there is a queue');
  const summary: Summary = data; // what is delivered is what is answered
  assert.equal(summary.data.event_id, `end-of-${ended}`);
  const coins: number | undefined = summary.data.room?.total_gift_coins;
  assert.equal(coins, ended === room_id ? 7 : 0);
}

{
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { account: host, from: '2026-01-01', to: '2100-01-01', limit: 1, cursor };
    const { data, response } = await appUser.GET('/v1/streams', { params: { query } });
    assert.ok(data && typeof data !== 'string', `status ${response.status}`);
    assert.equal(data.streams.length, 1);
    seen.push(...data.streams.map(stream => stream.room_id));
    for (const { accounts } of data.streams) {
      assert.ok(accounts.every(each => !('error' in each) && each.account === host));
    }
    cursor = data.next;
    assert.equal(response.headers.has('Link'), cursor !== undefined);
  } while (cursor);
  assert.deepEqual(seen.sort(), [...rooms].sort());
}
