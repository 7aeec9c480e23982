export interface Position { epoch: string; seq: number }
export interface ClawwsEvent { type: string; timestamp: string; payload: Record<string, unknown>; seq: number; prev?: number }
export interface SessionRecord { sessionKey: string; agentId?: string; kind?: 'direct' | 'cron' | 'subagent'; label?: string; timestamp: string; seq: number }
export interface AgentRecord { agentId: string; status: 'running' | 'idle' | 'error'; activeSessionCount?: number; taskCount?: number; lastActivity?: string; timestamp: string; seq: number }
export interface CronRecord { jobId: string; exitCode: number; command?: string; durationMs?: number; timestamp: string; seq: number }
export interface GatewayRecord { status: 'running' | 'stopped' | 'error'; version?: string; uptime?: number; timestamp: string; seq: number }
export interface StateView {
  sessions: ReadonlyMap<string, SessionRecord>;
  agents: ReadonlyMap<string, AgentRecord>;
  cronJobs: ReadonlyMap<string, CronRecord>;
  gateway: GatewayRecord | null;
  truncated: boolean;
}
export interface Gap { from: Position; to: Position; lost: number | null; cause: 'retention' | 'ahead' | 'new_epoch' | 'hole' }
export interface Status {
  link: 'connecting' | 'live' | 'waiting' | 'offline' | 'refused' | 'closed';
  retries: number;
  retryAt?: number;
  reason?: string;
  /** As of this change of the link; `connection.status.position` is the newest. */
  position: Position | null;
}
export interface Options {
  /** Like wss://host:8443/ws; anything else throws a TypeError. Default: /ws of the page's host. */
  url?: string;
  types?: string[];
  /** 'earliest', a position 'EPOCH:SEQ' or an RFC 3339 time; beside the state, too. */
  since?: string;
  last?: number;
  /** Takes the state and keeps it up to date; without since or last events begin at its position. */
  state?: boolean;
  user?: string;
  password?: string;
  ticket?: boolean | (() => Promise<string>);
  onEvent?: (event: ClawwsEvent) => void;
  onStatus?: (status: Status) => void;
  onGap?: (gap: Gap) => void;
  onState?: (state: StateView) => void;
}
export interface Connection {
  readonly status: Status;
  readonly state: StateView;
  retryNow(): void;
  close(): void;
}
export function connect(options?: Options): Connection;
export function parsePosition(text: string): Position | null;
export function retryHint(reason: string): number | undefined;
export class PositionRule {
  constructor(position?: Position);
  position: Position | null;
  isProvisional: boolean;
  start(said: { epoch: string; seq: number; oldest?: number; resumed?: boolean }, asked: 'nothing' | 'since'): void;
  event(seq: number, prev?: number | null): 'accepted' | 'duplicate' | 'accepted_after_hole';
  frame(epoch: string, seq: number): void;
}
export class Backoff {
  constructor(options?: { baseMillis?: number; earlyCapMillis?: number; earlyMillis?: number; capMillis?: number; floorMillis?: number; random?: () => number });
  next(outageMillis: number, hintMillis?: number): number;
  reset(): void;
}
export class State implements StateView {
  sessions: Map<string, SessionRecord>;
  agents: Map<string, AgentRecord>;
  cronJobs: Map<string, CronRecord>;
  gateway: GatewayRecord | null;
  truncated: boolean;
  clear(): void;
  load(told: unknown): void;
  apply(event: ClawwsEvent): boolean;
}
