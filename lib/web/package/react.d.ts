import type { ClawwsEvent, Gap, StateView, Status } from './clawws.js';

export interface UseClawwsOptions {
  url?: string;
  credentials?: { username: string; password: string };
  types?: string[];
  since?: string;
  last?: number;
  state?: boolean;
  ticket?: boolean | (() => Promise<string>);
  onEvent?: (event: ClawwsEvent) => void;
  onGap?: (gap: Gap) => void;
}
export interface UseClawwsReturn {
  isConnected: boolean;
  isConnecting: boolean;
  lastEvent: ClawwsEvent | null;
  error: string | null;
  reconnect: () => void;
  status: Status;
  state: StateView | null;
}
export function useClawws(options?: UseClawwsOptions): UseClawwsReturn;
