import type { Finding, Phase, StageName, StageState, TestResult } from '@cc-ci/core';

/** What happens in a run, as it happens. Every text in it is redacted; how it is worded is the listener's affair. */
export type Progress =
  | { kind: 'stage-start'; stage: StageName }
  | {
      kind: 'stage-end';
      stage: StageName;
      state: StageState;
      /** Why it did not pass, in one sentence. */
      why?: string;
      /** Milliseconds; absent where nothing was done. */
      durationMs?: number;
    }
  | { kind: 'phase-start'; stage: StageName; phase: Phase['name'] }
  | { kind: 'phase-end'; stage: StageName; phase: Phase['name']; durationMs: number }
  | { kind: 'test'; stage: StageName; test: TestResult }
  | { kind: 'finding'; stage: StageName; finding: Finding }
  | { kind: 'note'; stage: StageName; text: string };

/** Where progress is told: a terminal, or the engine's log. */
export type Say = (event: Progress) => void;
