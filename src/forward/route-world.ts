/** What a route finds around it: two accounts, what it shares with other routes, time, and who listens. */
import type { Emit } from '../domain/events.ts';
import type { Clock, DestinationAccount, Journal, SourceAccount, Spool } from '../domain/ports.ts';
import type { Budget } from './budget.ts';
import type { Crowd } from './crowd.ts';
import type { LoginGate } from './login-gate.ts';
import type { Pace } from './pace.ts';
import type { Share } from './seats.ts';
import type { Ways } from './ways.ts';

/** What a route needs of the world. */
export interface RouteWorld {
  readonly source: SourceAccount;
  readonly destination: DestinationAccount;
  readonly sourceGate: LoginGate;
  readonly destinationGate: LoginGate;
  /** Of the source account: its connections that may hold IDLE. */
  readonly seats: Share;
  /** At the source server. */
  readonly crowd: Crowd;
  /** Of all routes. */
  readonly ways: Ways;
  /** What may be used of both accounts. */
  readonly budget: Budget;
  readonly journal: Journal;
  /** For what is too large for memory. */
  readonly spool: () => Spool;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly emit: Emit;
  /** Aborts when imapferry is to stop: nothing new is begun. */
  readonly quit: AbortSignal;
  /** Aborts when what is under way has to be put down, too. */
  readonly cut: AbortSignal;
}
