// The parts of clawws.js that need no browser: run by `node --test`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { AlarmBook } from '../../lib/web/alerts.js';
import { Backoff, PositionRule, State, parsePosition, retryHint } from '../../lib/web/clawws.js';
import { newestOf, summaryOf } from '../../lib/web/feed.js';
import { MinuteCounts } from '../../lib/web/plot.js';

const vectors = JSON.parse(readFileSync(new URL('../support/position_rule.json', import.meta.url)));

for (const { name, position, steps } of vectors.cases) {
  test('position rule: ' + name, () => {
    const rule = new PositionRule(position ? parsePosition(position) : undefined);
    for (const step of steps) {
      if (step.do === 'start') rule.start(step, step.asked);
      if (step.do === 'event') assert.equal(rule.event(step.seq, step.prev), step.verdict);
      if (step.do === 'frame') rule.frame(step.epoch, step.seq);
      assert.deepEqual(rule.position, step.position === null ? null : parsePosition(step.position) ?? rule.position);
      assert.equal(rule.isProvisional, step.provisional ?? false);
    }
  });
}

test('positions are EPOCH:SEQ and nothing else', () => {
  assert.deepEqual(parsePosition('k3f9c2a1:8812'), { epoch: 'k3f9c2a1', seq: 8812 });
  for (const text of ['', ':1', 'a:', 'a:-1', 'a:01', 'a:1 ', 'a b:1', 'a:9007199254740993', 'abcdefghijklmnopq:1']) {
    assert.equal(parsePosition(text), null, text);
  }
});

test('delays grow in their window, stay small in a young outage, and heed the server', () => {
  const most = new Backoff({ random: () => 1 });
  assert.deepEqual([0, 1, 2, 3, 4, 5].map(() => most.next(0)), [300, 550, 1050, 2050, 2050, 2050]);
  assert.equal(most.next(200_000), 16_050);
  assert.equal(most.next(200_000), 30_050);
  most.reset();
  assert.equal(most.next(0), 300);
  const least = new Backoff({ random: () => 0 });
  assert.equal(least.next(0), 50);
  assert.equal(least.next(0, 700), 700);
  assert.equal(new Backoff({ random: () => 0 }).next(0, 0), 0);
});

test('a close reason may say when to come back', () => {
  assert.equal(retryHint('restart retry-ms=700'), 700);
  assert.equal(retryHint('retry-ms=7'), 7);
  assert.equal(retryHint('retry-ms=999999999'), 600_000);
  assert.equal(retryHint('no-retry-ms=7'), undefined);
  assert.equal(retryHint(''), undefined);
});

const at = '2026-01-01T00:00:00.000Z';
const event = (seq, type, payload) => ({ type, timestamp: at, payload, seq });

test('what is no event of a known type leaves the state alone', () => {
  const state = new State();
  for (const [type, payload] of [['toString', { undefined: 'x' }], ['__proto__', {}], ['agent.status', 'text'], ['agent.status', null],
    ['session.created', { sessionKey: 7 }]]) {
    assert.equal(state.apply(event(1, type, payload)), false, type);
  }
  assert.ok(state.apply(event(1, 'gateway.status', 'text')));
  assert.deepEqual(state.gateway, { timestamp: at, seq: 1 });
});

test('each type has its effect on the state', () => {
  const state = new State();
  assert.ok(state.apply(event(1, 'session.created', { sessionKey: 's1', agentId: 'a', kind: 'direct', more: 1 })));
  assert.ok(state.apply(event(2, 'session.created', { sessionKey: 's2' })));
  assert.ok(state.apply(event(3, 'agent.status', { agentId: 'a', status: 'running', taskCount: 3 })));
  assert.ok(state.apply(event(4, 'cron.executed', { jobId: 'j', exitCode: 1, stdout: 'o', stderr: 'e', durationMs: 9 })));
  assert.ok(state.apply(event(5, 'gateway.status', { status: 'running', version: '1' })));
  assert.ok(state.apply(event(6, 'session.killed', { sessionKey: 's2' })));
  assert.equal(state.apply(event(7, 'session.killed', { sessionKey: 's2' })), false);
  assert.ok(state.apply(event(8, 'agent.status', { agentId: 'a', status: 'error' })));
  assert.equal(state.apply(event(9, 'bench.sample', { agentId: 'a' })), false);
  assert.deepEqual([...state.sessions.values()], [{ sessionKey: 's1', agentId: 'a', kind: 'direct', timestamp: at, seq: 1 }]);
  assert.deepEqual([...state.agents.values()], [{ agentId: 'a', status: 'error', timestamp: at, seq: 8 }]);
  assert.deepEqual([...state.cronJobs.values()], [{ jobId: 'j', exitCode: 1, durationMs: 9, timestamp: at, seq: 4 }]);
  assert.deepEqual(state.gateway, { status: 'running', version: '1', timestamp: at, seq: 5 });
});

test('the newest of each kind stands last, and long keys and members stay out', () => {
  const state = new State();
  for (const [seq, key] of [[1, 'x'], [2, 'y'], [3, 'x']]) state.apply(event(seq, 'agent.status', { agentId: key, status: 'idle' }));
  assert.deepEqual([...state.agents.keys()], ['y', 'x']);
  assert.equal(state.apply(event(4, 'session.created', { sessionKey: 'k'.repeat(257) })), false);
  assert.ok(state.apply(event(5, 'session.created', { sessionKey: 'k'.repeat(256), label: 'l'.repeat(1_023) })));
  assert.equal('label' in [...state.sessions.values()][0], false);
});

test('the longest silent leave first', () => {
  const state = new State();
  for (let seq = 1; seq <= 1_001; ++seq) state.apply(event(seq, 'agent.status', { agentId: 'a' + seq, status: 'idle' }));
  assert.equal(state.agents.size, 1_000);
  assert.equal(state.agents.has('a1'), false);
  assert.equal(state.truncated, true);
});

test('a state that the server told is taken as it is', () => {
  const state = new State();
  state.apply(event(1, 'session.created', { sessionKey: 'old' }));
  state.load({ position: 'e:9', sessions: [{ sessionKey: 's', seq: 3 }], agents: [], cronJobs: [{ jobId: 'j', seq: 4 }], gateway: null, truncated: false });
  assert.deepEqual([...state.sessions.keys()], ['s']);
  assert.deepEqual([...state.cronJobs.keys()], ['j']);
  assert.equal(state.gateway, null);
});

const status = (agentId, status) => event(1, 'agent.status', { agentId, status });

test('what comes into error is an alarm, what stays in error is none', () => {
  const book = new AlarmBook();
  const state = new State();
  state.apply(status('known', 'error'));
  state.apply(event(1, 'gateway.status', { status: 'stopped' }));
  book.load(state);
  assert.equal(book.look(status('known', 'error')), null);
  assert.equal(book.look(event(2, 'gateway.status', { status: 'stopped' })), null);
  assert.equal(book.look(event(3, 'gateway.status', { status: 'running' })).text, 'The gateway is up again');
  assert.equal(book.look(event(3, 'gateway.status', { status: 'running' })), null);
  assert.equal(book.look(event(4, 'gateway.status', { status: 'error' })).text, 'The gateway is in error');
  assert.equal(book.look(status('a', 'running')), null);
  assert.deepEqual(book.look(status('a', 'error')), { key: 'agent a', text: 'Agent a is in error', mood: 'bad' });
  assert.equal(book.look(status('a', 'error')), null);
  assert.equal(book.look(status('a', 'idle')), null);
  assert.notEqual(book.look(status('a', 'error')), null);
  book.load(new State());
  assert.notEqual(book.look(status('known', 'error')), null);
  assert.equal(book.look(status('known', 'error')), null);
  book.forget();
  assert.notEqual(book.look(status('known', 'error')), null, 'after a gap it may have recovered');
  assert.ok(book.look(status('x'.repeat(60_000), 'error')).text.length < 200);
});

test('a page keeps a bounded number of events, and of characters', () => {
  const small = Array.from({ length: 25_000 }, (_, seq) => ({ seq, size: 10 }));
  assert.deepEqual(newestOf(small).map(({ seq }) => seq), small.slice(-10_000).map(({ seq }) => seq));
  const large = Array.from({ length: 1_000 }, (_, seq) => ({ seq, size: 60_000 }));
  const kept = newestOf([{ gap: 'here' }, ...large]);
  assert.ok(kept.length > 200 && kept.length < 300, `${kept.length}`);
  assert.equal(kept.at(-1).seq, 999);
  assert.deepEqual(newestOf([{ seq: 1, size: 1e9 }]), [{ seq: 1, size: 1e9 }]);
});

test('each failed run of a cron job is an alarm', () => {
  const book = new AlarmBook();
  const run = (exitCode) => book.look(event(1, 'cron.executed', { jobId: 'j', exitCode }));
  assert.equal(run(0), null);
  assert.equal(run(3).text, 'Cron job j failed: exit 3');
  assert.equal(run(3).key, 'cron j');
  assert.equal(book.look(event(1, 'session.killed', { sessionKey: 's' })), null);
});

test('events are counted by the minute they happened in', () => {
  const minute = 60_000;
  const now = 1_000 * minute + 30_000;
  const counts = new MinuteCounts();
  counts.add(now, now);
  counts.add(now - minute, now);
  counts.add(now - minute, now);
  counts.add(now + minute / 2, now);  // a clock that goes ahead
  counts.add(now + 5 * minute, now);  // no time of a clock
  counts.add(now - 40 * minute, now);
  const { counts: last, known } = counts.last(now);
  assert.equal(last.length, 30);
  assert.equal(known, 30);
  assert.deepEqual(last.slice(-3), [0, 2, 2]);
  assert.equal(last.reduce((sum, count) => sum + count), 4);
  assert.deepEqual(counts.last(now + minute).counts.slice(-3), [2, 2, 0]);
  counts.knownSince(now - 9 * minute);
  assert.equal(counts.last(now).known, 9);
});

test('a line of the feed says whom it is about, what happened and whether that is bad', () => {
  const of = (type, payload) => summaryOf({ type, payload });
  assert.deepEqual(of('cron.executed', { jobId: 'j', exitCode: 2, durationMs: 61_234, command: 'backup', stderr: 'disk full' }),
                   { subject: 'j', details: 'exit 2  ·  1 min 1 s  ·  backup  ·  disk full', mood: 'bad' });
  assert.equal(of('agent.status', { agentId: 'a', status: 'running', taskCount: 1 }).details, 'running  ·  1 task');
  assert.equal(of('gateway.status', { status: 'stopped' }).mood, 'warn');
  assert.equal(of('session.created', { sessionKey: 's', kind: 'direct' }).details, 'direct');
  assert.equal(of('custom.thing', { a: 1 }).details, '{"a":1}');
});
