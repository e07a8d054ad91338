import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import {
  type Artifact,
  type Failure,
  type Finding,
  type Phase,
  type Redactor,
  type StageName,
  type StageRecord,
  type StageState,
  stageFile,
  stageLogFile,
  type TestResult,
  writeJson,
} from '@cc-ci/core';
import type { Say } from './progress.js';

/**
 * The record of one stage while it runs. Everything that goes in is redacted, and every change is on disk before the
 * next step begins, so that a killed run still shows how far it came.
 */
export interface StageRecorder {
  readonly record: StageRecord;
  /** A line of the stage's log. */
  log(line: string): void;
  /** Runs a step and records its time, also when it fails. */
  phase<T>(name: Phase['name'], ours: boolean, step: () => Promise<T>): Promise<T>;
  test(result: TestResult): Promise<void>;
  artifact(artifact: Artifact): Promise<void>;
  finding(finding: Finding): Promise<void>;
  note(text: string): Promise<void>;
  /** Writes the end of the stage and closes its log. */
  finish(end: { state: StageState; reason?: string; failure?: Failure }): Promise<void>;
}

/** Begins a stage: its record says `running` from here on. */
export async function startStage(
  dir: string,
  stage: StageName,
  redactor: () => Redactor,
  say: Say,
): Promise<StageRecorder> {
  const record: StageRecord = {
    stage,
    state: 'running',
    startedAt: now(),
    phases: [],
    tests: [],
    artifacts: [],
    findings: [],
    notes: [],
  };
  const save = () => writeJson(stageFile(dir, stage), redactRecord(record, redactor()));
  const logStream = openLog(stageLogFile(dir, stage));
  const log = (line: string) => void logStream.write(`${now()} ${redactor().text(line)}\n`);
  await save();
  say({ kind: 'stage-start', stage });

  return {
    record,
    log,
    async phase(name, ours, step) {
      const phase: Phase = { name, ours, startedAt: now() };
      const started = performance.now();
      record.phases.push(phase);
      await save();
      log(`-- ${name}`);
      say({ kind: 'phase-start', stage, phase: name });
      try {
        return await step();
      } finally {
        phase.finishedAt = now();
        say({ kind: 'phase-end', stage, phase: name, durationMs: performance.now() - started });
        await save();
      }
    },
    async test(result) {
      record.tests.push(result);
      const line = `${result.state === 'failed' ? 'FAIL' : result.state === 'skipped' ? 'skip' : 'pass'}  ${result.suite} › ${result.title}`;
      log(`${line} (${Math.round(result.durationMs)} ms)${result.message ? `\n${result.message}` : ''}`);
      say({ kind: 'test', stage, test: redactTest(result, redactor()) });
      await save();
    },
    async artifact(artifact) {
      record.artifacts.push(artifact);
      await save();
    },
    async finding(finding) {
      record.findings.push(finding);
      const line = `${finding.severity.padEnd(7)}  ${finding.rule}: ${finding.message}${finding.where ? ` (${finding.where})` : ''}`;
      log(line);
      say({ kind: 'finding', stage, finding: redactFinding(finding, redactor()) });
      await save();
    },
    async note(text) {
      record.notes.push(text);
      log(text);
      say({ kind: 'note', stage, text: redactor().text(text) });
      await save();
    },
    async finish({ state, reason, failure }) {
      record.state = state;
      record.finishedAt = now();
      if (reason !== undefined) record.reason = reason;
      if (failure !== undefined) {
        record.failure = failure;
        log(`${failure.message} [${failure.blame}]`);
        for (const line of failure.evidence) log(`  ${line}`);
      }
      const why = record.failure?.message ?? record.reason;
      say({
        kind: 'stage-end',
        stage,
        state,
        ...(why === undefined ? {} : { why: redactor().text(why) }),
        durationMs: record.startedAt ? Date.parse(record.finishedAt) - Date.parse(record.startedAt) : 0,
      });
      logStream.end();
      await finished(logStream);
      await save();
    },
  };
}

function openLog(path: string): WriteStream {
  mkdirSync(dirname(path), { recursive: true });
  return createWriteStream(path, { flags: 'a' });
}

/** Redacts every text of a record that comes from outside; names, times and states stay as they are. */
function redactRecord(record: StageRecord, redactor: Redactor): StageRecord {
  const { text } = redactor;
  return {
    ...record,
    ...(record.reason === undefined ? {} : { reason: text(record.reason) }),
    ...(record.failure
      ? {
          failure: {
            ...record.failure,
            message: text(record.failure.message),
            evidence: record.failure.evidence.map(text),
          },
        }
      : {}),
    tests: record.tests.map((test) => redactTest(test, redactor)),
    findings: record.findings.map((finding) => redactFinding(finding, redactor)),
    notes: record.notes.map(text),
  };
}

function redactTest(test: TestResult, { text }: Redactor): TestResult {
  return {
    ...test,
    suite: text(test.suite),
    title: text(test.title),
    ...(test.message === undefined ? {} : { message: text(test.message) }),
  };
}

function redactFinding(finding: Finding, { text }: Redactor): Finding {
  return { ...finding, message: text(finding.message) };
}

function now(): string {
  return new Date().toISOString();
}
