/**
 * Writes the table of bytes into the README of the project: what a page loads for this widget, as
 * built in `dist`, and for others, as packed on npm. `npm run sizes`; needs the network.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** The version of each, and the file that its manual has pages load. */
const OTHERS = [
  ['ElevenLabs', '@elevenlabs/convai-widget-embed', '0.5.4', 'dist/index.js'],
  ['Vapi', '@vapi-ai/client-sdk-react', '0.1.1', 'dist/embed/widget.umd.js'],
  ['Typebot', '@typebot.io/js', '0.10.7', 'dist/web.js'],
  ['Flowise', 'flowise-embed', '3.1.6', 'dist/web.js'],
  ['n8n', '@n8n/chat', '1.37.0', 'dist/chat.bundle.es.js'],
];
const README = new URL('../README.md', import.meta.url);
const BEGIN = '<!-- Written by `npm run sizes` in embed/. -->\n';
const END = '<!-- End of what is written. -->';

const gzipped = (path) => gzipSync(readFileSync(path), { level: 9 }).length;
const shown = (bytes) => bytes.toLocaleString('en-US');

function windowBytes() {
  const manifest = JSON.parse(readFileSync('dist/window/.vite/manifest.json', 'utf8'));
  const files = new Set();
  let livekit = 0;
  for (const entry of Object.values(manifest)) {
    if (entry.isEntry) for (const file of [entry.file, ...(entry.css ?? [])]) files.add(file);
    if (/livekit-room/.test(entry.file)) livekit = gzipped(`dist/window/${entry.file}`);
  }
  const first = [...files].reduce((sum, file) => sum + gzipped(`dist/window/${file}`), 0);
  return { first, livekit };
}

function bytesOf(name, version, file) {
  const folder = mkdtempSync(join(tmpdir(), 'web-widgets-sizes-'));
  try {
    const pack = ['pack', '--silent', '--pack-destination', folder, `${name}@${version}`];
    const archive = execFileSync('npm', pack, { encoding: 'utf8' }).trim();
    execFileSync('tar', ['-xzf', join(folder, archive), '-C', folder]);
    return gzipped(join(folder, 'package', file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const loader = gzipped('dist/loader.js');
const { first, livekit } = windowBytes();
const opened = loader + gzipped('dist/panel.js') + first;
const rows = [
  [
    '**Web Widgets**',
    '`loader.js`',
    shown(loader),
    `${shown(opened)}, then ${shown(livekit)} of LiveKit`,
  ],
  ...OTHERS.map(([title, name, version, file]) => [
    title,
    `\`${name}\` ${version}, \`${file}\``,
    shown(bytesOf(name, version, file)),
    '',
  ]),
];
const table = [
  '| widget | script on the page | bytes on every page | bytes once it is opened |',
  '|---|---|---:|---:|',
  ...rows.map((row) => `| ${row.join(' | ')} |`),
].join('\n');

const text = readFileSync(README, 'utf8');
const [before, rest] = text.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`README.md has no ${BEGIN.trim()} … ${END}`);
writeFileSync(README, `${before}${BEGIN}\n${table}\n\n${END}${after}`);
console.log(table);
