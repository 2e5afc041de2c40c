// Unpacks the Chromium of the npm package beside it: node unpack.mjs FOLDER
//
// The package is made for functions on Linux on x64, and has everything that a browser without a screen needs. On another processor the
// chromium on PATH is used instead.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const tools = path.resolve(process.argv[2]);
const into = path.join(tools, 'chromium');
const packed = path.join(tools, 'node_modules/@sparticuz/chromium/bin');

function unpack(name) {
  const file = path.join(into, name);
  fs.writeFileSync(file, zlib.brotliDecompressSync(fs.readFileSync(path.join(packed, `${name}.br`))), { mode: 0o755 });
  if (!name.endsWith('.tar')) return;
  execFileSync('tar', ['--extract', '--file', file, '--directory', into]);
  fs.rmSync(file);
}

function onPath(name) {
  for (const folder of process.env.PATH.split(path.delimiter)) {
    const file = path.join(folder, name);
    if (fs.existsSync(file)) return file;
  }
  throw new Error(`e2e: the npm package has no Chromium for ${process.arch}. Install chromium, so that it is on PATH, and run make e2e again.`);
}

fs.rmSync(into, { recursive: true, force: true });
fs.mkdirSync(into);
if (process.arch === 'x64') {
  for (const name of ['chromium', 'al2023.tar', 'fonts.tar']) unpack(name);
} else {
  fs.symlinkSync(onPath('chromium'), path.join(into, 'chromium'));
}
// The configuration in the package has the paths of a function.
fs.writeFileSync(path.join(into, 'fonts.conf'), `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><dir>${into}/fonts</dir><cachedir>${into}/cache</cachedir></fontconfig>
`);
