// Shared test data, and a project that can be deployed.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials } from './cloud.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const original = fs.readFileSync(path.join(root, 'serverless.yml'), 'utf8');

export const environment = {
  TENCENT_REGION: 'ap-singapore',
  TENCENT_API_ROLE: 'giftstats-api',
  TENCENT_STREAMEND_ROLE: 'giftstats-streamend',
  TENCENT_DEAD_LETTER_QUEUE: 'giftstats-dead-letters',
  GIFTSTATS_SECRET: 'tencentssm://giftstats?version=v1&region=ap-singapore',
  GIFTSTATS_ENDPOINT: 'singapore',
  GIFTSTATS_DELIVER: 'https://example.com/giftstats',
};

// The origins of web pages, which are optional.
export const pages = { GIFTSTATS_CORS_ORIGINS: 'https://app.example.com,https://admin.example.com' };

// The variables of the ledger, which are optional too.
export const ledger = {
  GIFTSTATS_LEDGER: 'redis://10.0.0.7:6379/0',
  GIFTSTATS_LEDGER_RETENTION: '720h',
  TENCENT_VPC: 'vpc-12345678',
  TENCENT_SUBNET: 'subnet-12345678',
};

// project creates a directory with a serverless.yml and the archives dist/tencent-*.zip, which are any bytes unless they are given. run
// starts the deployment there, with only the given variables, and returns its status and output.
export function project(t, { text = original, api = 'the api', streamend = 'the streamend' } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'giftstats '));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const write = (name, content) => fs.writeFileSync(path.join(folder, name), content);
  fs.mkdirSync(path.join(folder, 'dist'));
  write('serverless.yml', text);
  write('dist/tencent-api.zip', api);
  write('dist/tencent-streamend.zip', streamend);
  return { folder, write, run: (command, environ, ...args) => run(folder, [command, ...args], environ) };
}

const main = path.join(root, 'tools/tencent-deploy/main.mjs');

// The variables of Go, which the check needs because it compiles a program.
export const go = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(PATH|HOME|XDG_CACHE_HOME|GO.*)$/.test(name)));

function run(cwd, args, environ) {
  return spawned(process.execPath, [main, ...args], { cwd, env: { ...go, ...defined(environ) } });
}

// spawned starts a program, and returns its status and output.
export function spawned(program, args, options) {
  const child = spawn(program, args, options);
  const result = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', data => {
      result[stream] += data;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', status => resolve({ status, ...result }));
  });
}

const defined = environ => Object.fromEntries(Object.entries({ ...credentials, ...environ }).filter(([, value]) => value !== undefined));
