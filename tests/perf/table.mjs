// From the reports of compare.sh to a table: medians over the rounds, and each as a ratio to clawws'.
//   node table.mjs RAW_DIR OUT.json >OUT.md
import fs from 'node:fs';
import path from 'node:path';

const [raw, outFile] = process.argv.slice(2);
const read = (name) => JSON.parse(fs.readFileSync(path.join(raw, name), 'utf8'));
const names = fs.readdirSync(raw);

const median = (values) => {
  const sorted = values.filter((v) => v !== null && v !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

const versions = read('versions.json');
const order = ['clawws', 'ws', 'nchan', 'beast'];
const peers = order.filter((peer) => names.some((name) => name.startsWith(`${peer}.`)));
const reports = (peer, kind) => names.filter((n) => n.startsWith(`${peer}.${kind}.`)).sort().map(read);

// A run in which something was lost says nothing about the cost of delivering all.
const isWhole = (r) => r.ledger.lost === 0 && r.connect.failed === 0;

const rows = [
  { id: 'burstUs', title: 'CPU per delivery, burst', unit: 'us', digits: 2, kind: 'burst', of: (r) => r.server.cpuPerDeliveryNs / 1e3 },
  { id: 'pacedUs', title: 'CPU per delivery, paced', unit: 'us', digits: 1, kind: 'paced', of: (r) => r.server.cpuPerDeliveryNs / 1e3 },
  { id: 'idleKiB', title: 'memory per idle client', unit: 'KiB', digits: 1, kind: 'idle', of: (r) => r.server.memory.bytesPerConnection / 1024 },
  { id: 'connectUs', title: 'CPU per full connect', unit: 'us', digits: 0, kind: 'paced', of: (r) => r.server.cpuPerConnectNs / 1e3 },
  { id: 'p50Ms', title: 'event to client p50, paced', unit: 'ms', digits: 1, kind: 'paced', of: (r) => r.delivery.all.p50 },
  { id: 'p99Ms', title: 'event to client p99, paced', unit: 'ms', digits: 1, kind: 'paced', of: (r) => r.delivery.all.p99 },
];
const results = {};
for (const row of rows) {
  results[row.id] = {};
  for (const peer of peers) {
    const values = reports(peer, row.kind).filter(isWhole).map(row.of);
    results[row.id][peer] = { median: median(values), values };
  }
}

// A run is the generator's, not the server's, when a thread of it had nothing left to give, or it was late itself.
const busiest = (r) => Math.max(...r.client.threads.map((t) => t.cores));
const bottlenecks = [];
for (const kind of ['burst', 'paced', 'idle']) {
  for (const peer of peers) {
    const all = reports(peer, kind);
    const late = all.filter((r) => !r.trust.valid);
    const full = all.filter((r) => kind === 'paced' && (busiest(r) > 0.9 || r.client.cores + r.server.cores > 0.95 * versions.cores));
    for (const r of all.filter((one) => !isWhole(one))) {
      bottlenecks.push(`${peer}, ${kind}: a run is left out: lost ${r.ledger.lost}, connections failed ${r.connect.failed}`);
    }
    if (late.length) bottlenecks.push(`${peer}, ${kind}: ${late.length} of ${all.length} runs could not be trusted (${late[0].trust.reasons.join('; ')})`);
    if (full.length) bottlenecks.push(`${peer}, ${kind}: the generator was the bottleneck in ${full.length} of ${all.length} runs`);
  }
}

const floors = names.filter((n) => n.startsWith('floor.')).map(read);
const floor = { sslWriteUs: median(floors.map((f) => f.sslWriteUs)), connectionHeapKiB: median(floors.map((f) => f.connectionHeapBytes)) / 1024 };
const floorOf = { pacedUs: floor.sslWriteUs, idleKiB: floor.connectionHeapKiB };

const title = {
  clawws: `clawws ${versions.clawws}`, ws: `ws ${versions.ws} on Node ${versions.node}`,
  nchan: `nchan ${versions.nchan}, nginx ${versions.nginx}`, beast: `usual Beast pattern, Boost ${versions.boost}`,
};
const cell = (row, peer) => {
  const { median: value } = results[row.id][peer];
  const mine = results[row.id].clawws?.median;
  if (value === null) return '-';
  const ratio = peer !== 'clawws' && mine ? ` (${(value / mine).toFixed(2)}x)` : '';
  return value.toFixed(row.digits) + ratio;
};
const lines = [
  `| median of ${versions.rounds} | ${peers.map((p) => title[p]).join(' | ')} | floor |`,
  `|---|${peers.map(() => '---|').join('')}---|`,
  ...rows.map((row) => `| ${row.title}, ${row.unit} | ${peers.map((p) => cell(row, p)).join(' | ')} | ${floorOf[row.id]?.toFixed(1) ?? ''} |`),
  '',
  `${versions.cpu}, ${versions.cores} cores, Linux ${versions.kernel}, OpenSSL ${versions.openssl}, ${versions.date}; load before: ${versions.loadBefore}.`,
  'Events of 200 bytes over TLS 1.3, one server thread each. Burst: 2,000 events at once to 500 clients; paced: 50 a second to 1,000;',
  'memory at 5,000. Floor: one bare `SSL_write` per client and event; heap of one OpenSSL connection.',
];
if (versions.quick) lines.push('**A quick run with small numbers: it shows that everything works, and nothing else.**');
for (const note of bottlenecks) lines.push(`* ${note}`);
console.log(lines.join('\n'));
fs.writeFileSync(outFile, `${JSON.stringify({ versions, results, floor, bottlenecks }, null, 2)}\n`);
