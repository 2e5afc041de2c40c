// Starts the deployed binaries with the variables from serverless.yml.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { instance, wanted } from '../../tools/tencent-deploy/serverless.mjs';
import { environment, ledger, original, pages, root } from './fixture.mjs';

// Each binary checks its own variables: if one is wrong, the process exits before it listens.
const everything = { ...environment, ...ledger, ...pages };
for (const [how, variables] of Object.entries({ 'with everything': everything, 'without a ledger': environment })) {
  // Loopback instead of Singapore, because the binaries connect when they start.
  const file = instance(original, { ...variables, GIFTSTATS_ENDPOINT: 'http://127.0.0.1:9' });
  for (const { name, handler, environment: given } of wanted(file).functions) {
    test(`${name} starts with these settings, ${how}`, { timeout: 300_000 }, async t => {
      const binary = path.join(root, 'dist/tencent', handler);
      assert.ok(fs.existsSync(binary), `${binary} is missing: make build`);
      const started = await start(t, binary, given.variables);
      assert.equal(started, 'listens');
      assert.match(await start(t, binary, { ...given.variables, GIFTSTATS_NONSENSE: '1' }), /GIFTSTATS_NONSENSE/);
    });
  }
}

// start returns "listens", or the output of the process if it exits. If another program takes the port first, it starts the process again.
async function start(t, binary, variables) {
  for (;;) {
    const outcome = await startAt(t, await freePort(), binary, variables);
    if (!outcome.includes('address already in use')) return outcome;
  }
}

// freePort returns a free port below those that the system gives to connections and servers that do not choose one, so that it stays free.
async function freePort() {
  for (;;) {
    const probe = net.createServer().listen(randomInt(20_000, 30_000), '127.0.0.1');
    try {
      await once(probe, 'listening');
    } catch {
      continue;
    }
    const { port } = probe.address();
    await new Promise(resolve => probe.close(resolve));
    return port;
  }
}

async function startAt(t, port, binary, variables) {
  const child = spawn(binary, { env: { ...variables, _LAMBDA_SERVER_PORT: String(port), TENCENTCLOUD_REGION: 'ap-singapore' } });
  let output = '';
  child.stdout.on('data', data => {
    output += data;
  });
  child.stderr.on('data', data => {
    output += data;
  });
  let ended = false;
  const closed = once(child, 'close').then(() => {
    ended = true;
  });
  t.after(() => child.kill());
  while (!ended) {
    if (await reaches(port)) return 'listens';
    await Promise.race([sleep(20), closed]);
  }
  return output;
}

function reaches(port) {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
