// Shared test data. GIFTSTATS_ROOT is the repository. The default is two levels up, which is also right for a copy in
// .tools/serverless.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = process.env.GIFTSTATS_ROOT ?? fileURLToPath(new URL('../..', import.meta.url));
export const original = fs.readFileSync(path.join(root, 'serverless.yml'), 'utf8');

// The names of all variables in serverless.yml, except in comments.
export const names = [...new Set([...original.replace(/(^|\s)#.*/gm, '').matchAll(/\$\{env:(\w+)\}/g)].map(match => match[1]))];

export const environment = {
  TENCENT_REGION: 'ap-singapore',
  TENCENT_API_ROLE: 'giftstats-api',
  TENCENT_STREAMEND_ROLE: 'giftstats-streamend',
  TENCENT_DEAD_LETTER_QUEUE: 'giftstats-dead-letters',
  GIFTSTATS_SECRET: 'tencentssm://giftstats?version=v1&region=ap-singapore',
  GIFTSTATS_ENDPOINT: 'singapore',
  GIFTSTATS_DELIVER: 'https://example.com/giftstats',
};

// The origins of web pages, which are optional too.
export const pages = { GIFTSTATS_CORS_ORIGINS: 'https://app.example.com,https://admin.example.com' };

// The variables of the ledger, which are optional.
export const ledger = {
  GIFTSTATS_LEDGER: 'redis://10.0.0.7:6379/0',
  GIFTSTATS_LEDGER_RETENTION: '720h',
  TENCENT_VPC: 'vpc-12345678',
  TENCENT_SUBNET: 'subnet-12345678',
};
