/**
 * Live events of a clawws server in a browser, over the browser's own WebSocket.
 *
 *   import { connect } from './clawws.js';
 *   const live = connect({ state: true, onState: draw, onEvent: console.log, onStatus: showLink });
 *
 * It reconnects by itself and resumes from its position: nothing is left out and nothing comes twice,
 * and what the server no longer keeps is told to `onGap`. The rules are those of clawws-protocol(7);
 * the classes below are its parts, free of I/O, for who needs one of them alone.
 *
 * Numbers named *Millis are milliseconds. Callbacks run on the page's one thread, never inside
 * connect(). What a callback throws is reported to the console and ends nothing.
 */

const TICKET_PATH = '/clawws/tickets';
const STATE_PATH = '/clawws/state';
const EVENTS_PATH = '/clawws/events';
const PING_EVERY_MILLIS = 25_000;
const PONG_WITHIN_MILLIS = 10_000;
const PONG_WITHIN_AFTER_SLEEP_MILLIS = 3_000;
const CONNECT_WITHIN_MILLIS = 5_000;
/** The state is up to some megabytes, perhaps over a telephone. */
const STATE_WITHIN_MILLIS = 30_000;
const STABLE_AFTER_MILLIS = 10_000;
const LONGEST_HINT_MILLIS = 600_000;
/** Close codes after which coming back would only be sent away again. */
const FINAL_CODES = new Set([1002, 1003, 1007, 1008, 1009, 1010]);

// ---- positions ------------------------------------------------------------------------------------

/** "EPOCH:SEQ" as `{epoch, seq}`; null when it is none. */
export function parsePosition(text) {
  const match = /^([A-Za-z0-9]{1,16}):(0|[1-9][0-9]{0,15})$/.exec(text);
  return match && Number.isSafeInteger(Number(match[2])) ? { epoch: match[1], seq: Number(match[2]) } : null;
}

/** How a client's place in the stream moves with what the server sends. */
export class PositionRule {
  /** @param {{epoch: string, seq: number}} [position] where to go on; nothing: not known yet */
  constructor(position) {
    this.position = position ? { ...position } : null;
    /** The position is only where the stream may begin: who connects again repeats its first request. */
    this.isProvisional = false;
  }

  /**
   * @param {{epoch: string, seq: number, oldest?: number, resumed?: boolean}} said the payload of the first frame
   * @param {'nothing'|'since'} asked whether older events were asked for
   */
  start(said, asked) {
    const hasOwn = this.position !== null && !this.isProvisional;
    this.isProvisional = false;
    if (asked === 'nothing') {
      this.position = { epoch: said.epoch, seq: said.seq };
    } else if (!hasOwn || !said.resumed) {
      this.isProvisional = !hasOwn;
      this.position = { epoch: said.epoch, seq: said.oldest ? said.oldest - 1 : 0 };
    }
  }

  /** @returns {'accepted'|'duplicate'|'accepted_after_hole'} */
  event(seq, prev) {
    const known = this.position !== null;
    if (known && seq <= this.position.seq) return 'duplicate';
    const hasPrev = prev !== undefined && prev !== null;
    const isHole = known && !this.isProvisional && (hasPrev ? prev > this.position.seq : seq !== this.position.seq + 1);
    this.position = { epoch: known ? this.position.epoch : '', seq };
    this.isProvisional = false;
    return isHole ? 'accepted_after_hole' : 'accepted';
  }

  /** A pong or a position frame: everything that matches, up to here, was sent before it. */
  frame(epoch, seq) {
    if (this.position === null || epoch !== this.position.epoch || seq <= this.position.seq) return;
    this.position.seq = seq;
    this.isProvisional = false;
  }
}

// ---- coming back ----------------------------------------------------------------------------------

/** When to try again: full jitter in a window that doubles, small while the outage is young. */
export class Backoff {
  constructor({ baseMillis = 250, earlyCapMillis = 2_000, earlyMillis = 120_000, capMillis = 30_000, floorMillis = 50, random = Math.random } = {}) {
    Object.assign(this, { baseMillis, earlyCapMillis, earlyMillis, capMillis, floorMillis, random });
    this.attempt = 0;
  }

  /** The delay before the next attempt; `hintMillis` is what the server asked for. */
  next(outageMillis, hintMillis) {
    const isFirst = this.attempt === 0;
    const cap = outageMillis < this.earlyMillis ? this.earlyCapMillis : this.capMillis;
    const window = Math.min(cap, this.baseMillis * 2 ** Math.min(this.attempt, 30));
    this.attempt += 1;
    const usual = this.floorMillis + this.random() * window;
    if (hintMillis === undefined) return usual;
    const hinted = Math.max(0, hintMillis) + this.random() * this.baseMillis;
    return isFirst ? hinted : Math.max(hinted, usual);
  }

  reset() {
    this.attempt = 0;
  }
}

/** The N of `retry-ms=N` in a close reason, at most ten minutes. */
export function retryHint(reason) {
  const match = /(?:^|\s)retry-ms=([0-9]{1,9})(?:\s|$)/.exec(reason);
  return match ? Math.min(Number(match[1]), LONGEST_HINT_MILLIS) : undefined;
}

// ---- the state ------------------------------------------------------------------------------------

const FOLDS = {
  'session.created': { list: 'sessions', key: 'sessionKey' },
  'session.killed': { list: 'sessions', key: 'sessionKey', removes: true },
  'agent.status': { list: 'agents', key: 'agentId' },
  'cron.executed': { list: 'cronJobs', key: 'jobId' },
};
const MEMBERS = {
  'session.created': ['sessionKey', 'agentId', 'kind', 'label'],
  'agent.status': ['agentId', 'status', 'activeSessionCount', 'taskCount', 'lastActivity'],
  'cron.executed': ['jobId', 'exitCode', 'command', 'durationMs'],
  'gateway.status': ['status', 'version', 'uptime'],
};
const LONGEST_KEY_BYTES = 256;
const LONGEST_MEMBER_BYTES = 1_024;
const LIMITS = { sessions: 10_000, agents: 1_000, cronJobs: 10_000 };
const KEYS = { sessions: 'sessionKey', agents: 'agentId', cronJobs: 'jobId' };
const utf8 = new TextEncoder();
const bytesOf = (value) => utf8.encode(JSON.stringify(value)).length;

/** What the events add up to: the same fold as the server's, see STATE in clawws-protocol(7). */
export class State {
  constructor() {
    this.clear();
  }

  clear() {
    /** Maps of records by key, each in the order of its newest event. */
    this.sessions = new Map();
    this.agents = new Map();
    this.cronJobs = new Map();
    this.gateway = null;
    this.truncated = false;
  }

  /** Takes what `GET /clawws/state` answered. */
  load(told) {
    this.clear();
    for (const [list, key] of Object.entries(KEYS)) {
      for (const record of told[list]) this[list].set(record[key], record);
    }
    this.gateway = told.gateway;
    this.truncated = told.truncated;
  }

  /** Folds one event in; true when that changed something. */
  apply(event) {
    const payload = Object(event.payload);
    if (event.type === 'gateway.status') {
      this.gateway = recordOf(event, payload);
      return true;
    }
    const fold = Object.hasOwn(FOLDS, event.type) && FOLDS[event.type];
    if (!fold || typeof payload[fold.key] !== 'string') return false;
    const key = payload[fold.key];
    if (key === '' || bytesOf(key) - 2 > LONGEST_KEY_BYTES) return false;
    const records = this[fold.list];
    const known = records.delete(key);
    if (fold.removes) return known;
    records.set(key, recordOf(event, payload));
    if (records.size > LIMITS[fold.list]) {
      records.delete(records.keys().next().value);
      this.truncated = true;
    }
    return true;
  }
}

function recordOf(event, payload) {
  const record = {};
  for (const member of MEMBERS[event.type]) {
    if (member in payload && bytesOf(payload[member]) <= LONGEST_MEMBER_BYTES) record[member] = payload[member];
  }
  record.timestamp = event.timestamp;
  record.seq = event.seq;
  return record;
}

// ---- the connection -------------------------------------------------------------------------------

/** What went wrong for good: the server does not take this client as it is. */
class Refused extends Error {}

/**
 * @typedef {object} Options
 * @property {string} [url] of the WebSocket; default: /ws of the page's own host
 * @property {string[]} [types] globs such as 'session.*'; default: all
 * @property {string} [since] 'earliest', a position 'EPOCH:SEQ' or an RFC 3339 time; default: live events only
 * @property {number} [last] begin with the N newest events instead
 * @property {boolean} [state] take the state, too, and keep it up to date; without `since` or `last` events begin at its position
 * @property {string} [user] with `password`: sent as a subprotocol, for pages without a ticket
 * @property {string} [password]
 * @property {boolean|(() => Promise<string>)} [ticket] default true without a user: asks /clawws/tickets of the URL's host
 * @property {(event: object) => void} [onEvent]
 * @property {(status: Status) => void} [onStatus]
 * @property {(gap: {from: ?object, to: object, lost: ?number, cause: string}) => void} [onGap] events that will not come
 * @property {(state: State) => void} [onState] at most once a frame of the screen
 *
 * @typedef {object} Status
 * @property {'connecting'|'live'|'waiting'|'offline'|'refused'|'closed'} link
 * @property {number} retries since the link was live last
 * @property {number} [retryAt] waiting: when the next attempt is due (Date.now())
 * @property {string} [reason] why it is not live
 * @property {?{epoch: string, seq: number}} position as of this change of the link; `connection.status` has the newest
 */

/**
 * @param {Options} options
 * @throws {TypeError} when the URL is not one of a WebSocket
 */
export function connect(options = {}) {
  return new Connection(options);
}

class Connection {
  #options;
  #url;
  #http;
  #socket = null;
  #backoff = new Backoff();
  #rule;
  #asked = 'nothing';
  #askedPosition = null;
  #state = new State();
  #stateAt = null;  // the position that the server told with it; events from there on are folded in
  #held = null;     // events that came while the state is taken anew
  #status = { link: 'connecting', retries: 0, position: null };
  #lostAt = null;
  #timers = new Map();
  #drawing = false;
  #attempt = 0;
  #closed = false;
  #listening = new AbortController();
  #asking = new AbortController();

  constructor(options) {
    this.#options = options;
    this.#url = new URL(options.url ?? '/ws', globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace('http', 'ws');
    if (!/^wss?:$/.test(this.#url.protocol)) throw new TypeError(`clawws: '${options.url}' is no URL like wss://host:8443/ws`);
    // A page that was opened as https://user:password@host would hand them down, and fetch() refuses such URLs.
    this.#url.username = this.#url.password = '';
    this.#http = new URL(this.#url);
    this.#http.protocol = this.#url.protocol.replace('ws', 'http');
    this.#http.search = '';
    const since = options.since ? parsePosition(options.since) : null;
    this.#rule = new PositionRule(since ?? undefined);
    const listen = (target, name, call) => target?.addEventListener(name, call, { signal: this.#listening.signal });
    listen(globalThis, 'online', () => this.retryNow());
    listen(globalThis, 'offline', () => this.#looksOffline());
    listen(globalThis, 'pageshow', (shown) => shown.persisted && this.retryNow());
    listen(globalThis.document, 'visibilitychange', () => document.visibilityState === 'visible' && this.retryNow());
    queueMicrotask(() => this.#begin());
  }

  /** A copy; see Status. */
  get status() {
    return { ...this.#status, position: this.#rule.position && { ...this.#rule.position } };
  }
  /** Kept up to date with the option `state`. */
  get state() {
    return this.#state;
  }

  /** An attempt at once instead of waiting on; a live link is asked whether it is. */
  retryNow() {
    if (this.#closed) return;
    if (this.#status.link === 'live') {
      this.#ping(PONG_WITHIN_AFTER_SLEEP_MILLIS);
    } else if (['waiting', 'offline', 'refused'].includes(this.#status.link)) {
      this.#backoff.reset();
      this.#begin();
    }
  }

  /** The end; nothing is called any more but onStatus with 'closed'. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#listening.abort();
    this.#drop(1000);
    this.#say({ link: 'closed', reason: undefined, retryAt: undefined });
  }

  // ---- connecting ---------------------------------------------------------------------------------

  async #begin() {
    if (this.#closed) return;
    const attempt = ++this.#attempt;
    this.#drop();
    this.#say({ link: 'connecting', retryAt: undefined });
    this.#asking = new AbortController();
    try {
      if (this.#options.state && this.#stateAt === null) {
        this.#limit(STATE_WITHIN_MILLIS);
        await this.#takeState(attempt);
        if (attempt !== this.#attempt || this.#closed) return;
      }
      this.#limit(CONNECT_WITHIN_MILLIS);
      const ticket = await this.#ticket();
      if (attempt === this.#attempt && !this.#closed) this.#open(ticket);
    } catch (problem) {
      if (attempt === this.#attempt) this.#failed(problem);
    }
  }

  #failed(problem) {
    if (this.#closed) return;
    if (problem instanceof Refused) this.#refused(problem.message);
    else this.#lost(problem.message, problem.hintMillis);
  }

  #limit(millis) {
    this.#after('connect', millis, () => this.#lost(`no answer within ${millis / 1_000} s`));
  }

  async #ask(path, init) {
    const user = this.#options.user;
    const headers = user === undefined ? {} : { Authorization: 'Basic ' + base64(user + ':' + (this.#options.password ?? '')) };
    const url = new URL(path, this.#http);
    let answer;
    try {
      answer = await fetch(url, { ...init, headers, credentials: 'include', cache: 'no-store', signal: this.#asking.signal });
    } catch {
      // A browser tells no page whether there was no answer or one that it may not read.
      const page = globalThis.location?.origin;
      throw new Error('the server does not answer' + (page && page !== url.origin ? `, or does not take pages of ${page} (--origin)` : ''));
    }
    if (answer.ok) return answer.json();
    const refused = [400, 401, 403].includes(answer.status);
    const said = await answer.json().catch(() => ({}));
    const text = said.message ?? 'the server answered ' + answer.status;
    if (refused) throw new Refused(text);
    const problem = new Error(text);
    const seconds = Number(answer.headers.get('Retry-After'));
    if (seconds > 0) problem.hintMillis = Math.min(seconds * 1000, LONGEST_HINT_MILLIS);
    throw problem;
  }

  async #ticket() {
    const wanted = this.#options.ticket ?? this.#options.user === undefined;
    if (typeof wanted === 'function') return wanted();
    return wanted ? (await this.#ask(TICKET_PATH, { method: 'POST' })).ticket : undefined;
  }

  async #takeState(attempt) {
    const held = this.#held;
    const told = await this.#ask(STATE_PATH);
    if (attempt !== this.#attempt || held !== this.#held) return;
    const position = parsePosition(told.position);
    if (!position) throw new Error('the server told no position');
    this.#state.load(told);
    this.#stateAt = position;
    this.#held = null;
    // Who asked for older events gets them as well; they are in the state already.
    const { since, last } = this.#options;
    if (this.#rule.position === null && !since && !last) this.#rule = new PositionRule(position);
    for (const event of held ?? []) this.#fold(event);
    this.#draw();
  }

  /** What is gone may have changed anything. The events that are left go on meanwhile. */
  async #renewState() {
    const attempt = this.#attempt;
    this.#stateAt = null;
    this.#held = [];
    this.#after('state', STATE_WITHIN_MILLIS, () => this.#lost(`no state within ${STATE_WITHIN_MILLIS / 1_000} s`));
    try {
      await this.#takeState(attempt);
      if (this.#held === null) this.#cancel('state');
    } catch (problem) {
      if (attempt === this.#attempt) this.#failed(problem);
    }
  }

  #open(ticket) {
    const { types, since, last, user, password } = this.#options;
    const url = new URL(this.#url);
    this.#askedPosition = this.#rule.position !== null && !this.#rule.isProvisional ? { ...this.#rule.position } : null;
    this.#asked = this.#askedPosition || since || last ? 'since' : 'nothing';
    if (this.#askedPosition) url.searchParams.set('since', `${this.#askedPosition.epoch}:${this.#askedPosition.seq}`);
    else if (since) url.searchParams.set('since', since);
    else if (last) url.searchParams.set('last', String(last));
    if (types?.length) url.searchParams.set('types', types.join(','));
    const { search } = url;
    if (ticket) url.searchParams.set('ticket', ticket);
    const protocols = user !== undefined && !ticket ? ['clawws.v1', 'clawpanel', base64url(user + ':' + (password ?? ''))] : ['clawws.v1'];
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    let isWelcome = false;
    let isOpen = false;
    socket.onopen = () => isOpen = true;
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      try {
        const message = JSON.parse(data);
        if (isWelcome) this.#take(message);
        else if (message.type === 'auth.success') isWelcome = this.#welcome(message.payload);
        else this.#refused('this is no clawws server');
      } catch (problem) {
        this.#refused('the server sent what is no message: ' + problem.message);
      }
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return;
      if (isOpen) this.#ended(code, reason);
      else this.#explain(search);
    };
  }

  /** A browser tells no script why a WebSocket did not open. The same question as a plain request gets an answer. */
  async #explain(search) {
    const attempt = this.#attempt;
    this.#socket = null;
    try {
      // Whose tickets come from elsewhere has no login here.
      if (typeof this.#options.ticket !== 'function') await this.#ask(`${EVENTS_PATH}${search}${search ? '&' : '?'}limit=1`);
      throw new Error(`the server did not open a WebSocket at ${this.#url.pathname}`);
    } catch (problem) {
      if (attempt === this.#attempt) this.#failed(problem);
    }
  }

  // ---- live ---------------------------------------------------------------------------------------

  #welcome(said) {
    this.#cancel('connect');
    const before = this.#askedPosition;
    if (this.#asked === 'since' && !before) this.#rule = new PositionRule();
    this.#rule.start(said, this.#asked);
    this.#lostAt = null;
    this.#after('stable', STABLE_AFTER_MILLIS, () => this.#backoff.reset());
    this.#say({ link: 'live', retries: 0, reason: undefined });
    this.#schedulePing();
    if (before && !said.resumed && said.lost !== 0) {
      const cause = before.epoch !== said.epoch ? 'new_epoch' : before.seq > said.seq ? 'ahead' : 'retention';
      this.#gap({ from: before, to: { ...this.#rule.position }, lost: said.lost ?? null, cause });
    } else {
      this.#ping(PONG_WITHIN_MILLIS);
      // The stream begins behind what the state holds: at a time, or at the newest of many.
      const { epoch, seq } = this.#rule.position;
      if (this.#stateAt && (epoch !== this.#stateAt.epoch || (!before && seq > this.#stateAt.seq))) this.#renewState();
    }
    return true;
  }

  #take(message) {
    switch (message.type) {
      case 'pong':
      case 'position':
        this.#rule.frame(message.payload.epoch, message.payload.seq);
        if (message.type === 'pong') this.#cancel('pong');
        return;
      case 'subscribed':
      case 'error':
        return;
      default:
        if (Number.isSafeInteger(message.seq)) this.#event(message);
    }
  }

  #event(event) {
    const before = this.#rule.position && { ...this.#rule.position };
    const verdict = this.#rule.event(event.seq, event.prev);
    if (verdict === 'duplicate') return;
    if (verdict === 'accepted_after_hole') {
      const lost = event.prev === undefined ? event.seq - before.seq - 1 : null;
      this.#gap({ from: before, to: { ...this.#rule.position }, lost, cause: 'hole' });
    }
    if (this.#held) this.#held.push(event);
    else if (this.#stateAt) this.#fold(event);
    this.#call('onEvent', event);
  }

  #fold(event) {
    if (event.seq > this.#stateAt.seq && this.#state.apply(event)) this.#draw();
  }

  #gap(gap) {
    this.#call('onGap', gap);
    if (this.#options.state && !this.#closed) this.#renewState();
  }

  #schedulePing() {
    this.#after('ping', PING_EVERY_MILLIS, () => {
      this.#ping(PONG_WITHIN_MILLIS);
      this.#schedulePing();
    });
  }

  #ping(withinMillis) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ type: 'ping', timestamp: new Date().toISOString() }));
    this.#after('pong', withinMillis, () => this.#lost('the server does not answer a ping'));
  }

  // ---- not live -----------------------------------------------------------------------------------

  #ended(code, reason) {
    this.#socket = null;
    if (FINAL_CODES.has(code)) return this.#refused(reason || 'closed by the server with ' + code);
    // After 4001 the next ticket, or a new password, decides.
    if (code === 4001 && this.#options.user !== undefined) return this.#refused('these credentials are no longer accepted');
    const what = reason || (code === 1006 ? 'the connection was lost' : 'closed by the server with ' + code);
    this.#lost(what.replace(/\s*retry-ms=[0-9]+\s*/, ' ').trim() || 'the server restarts', retryHint(reason));
  }

  #lost(reason, hintMillis) {
    if (this.#closed) return;
    this.#attempt += 1;
    this.#drop();
    this.#lostAt ??= Date.now();
    const delay = this.#backoff.next(Date.now() - this.#lostAt, hintMillis);
    const isOffline = globalThis.navigator?.onLine === false;
    this.#say({ link: isOffline ? 'offline' : 'waiting', retries: this.#status.retries + 1, reason, retryAt: Date.now() + delay });
    this.#after('retry', delay, () => this.#begin());
  }

  #refused(reason) {
    this.#attempt += 1;
    this.#drop();
    this.#say({ link: 'refused', reason, retryAt: undefined });
  }

  #looksOffline() {
    if (this.#status.link === 'waiting') this.#say({ link: 'offline' });
    else if (this.#status.link === 'live') this.#ping(PONG_WITHIN_AFTER_SLEEP_MILLIS);
  }

  #drop(code) {
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    this.#asking.abort();
    this.#held = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(...(code ? [code] : []));
  }

  // ---- telling ------------------------------------------------------------------------------------

  #say(change) {
    this.#status = { ...this.#status, ...change };
    this.#call('onStatus', this.status);
  }

  /** However many events come, the page draws once a frame; a hidden page has no frames. */
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    const tell = () => {
      this.#drawing = false;
      if (!this.#closed) this.#call('onState', this.#state);
    };
    if (globalThis.document?.visibilityState === 'visible') requestAnimationFrame(tell);
    else setTimeout(tell, 100);
  }

  #call(name, argument) {
    try {
      this.#options[name]?.(argument);
    } catch (problem) {
      console.error('clawws: ' + name + ' threw', problem);
    }
  }

  #after(name, millis, call) {
    this.#cancel(name);
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      call();
    }, millis));
  }

  #cancel(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

// Passwords may hold any characters; btoa takes bytes.
function base64(text) {
  return btoa(String.fromCharCode(...utf8.encode(text)));
}

// Of the characters that a subprotocol may have.
const base64url = (text) => base64(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
