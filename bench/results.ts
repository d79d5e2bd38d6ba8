import type { BloatResult } from './bloat.ts';
import type { EnduranceResult } from './endurance.ts';
import type { GrowthResult } from './growth.ts';
import type { IsolationResult } from './isolation.ts';
import type { ListResult } from './lists.ts';
import type { Memory } from './memory.ts';
import type { Performance } from './performance.ts';
import type { Readiness } from './ready.ts';
import type { ScaleOutResult } from './scale-out.ts';
import type { StatementCount } from './statements.ts';

/** All that a run found out. */
export interface Results {
  readonly machine: Machine;
  readonly seconds: number;
  readonly rounds: number;
  readonly ready: Readiness[];
  readonly memory: MemoryUnderLoad[];
  readonly load: LoadResult[];
  readonly statements: StatementCount[];
  readonly lists: ListResult[];
  readonly isolation: IsolationResult[];
  readonly growth: GrowthResult[];
  readonly scaleOut: ScaleOutResult[];
  readonly endurance: EnduranceResult[];
  readonly bloat: BloatResult[];
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGibibytes: number;
  readonly system: string;
  readonly node: string;
  /** How many threads wanted a core in the minute before: what others did on the machine, if not 0. */
  readonly loadBefore: number;
}

export interface MemoryUnderLoad {
  readonly database: string;
  /** A second after it was ready. */
  readonly idle: Memory;
  /** A second after the last of all that was asked of it. */
  readonly afterLoad: Memory;
}

export interface LoadResult {
  readonly database: string;
  readonly scenario: string;
  readonly service: Performance;
  /** What the service is compared with. */
  readonly others: readonly Performance[];
}
