import { createHash, timingSafeEqual } from 'node:crypto';
import {
  InputError,
  isGrowing,
  isReportPath,
  LARGEST_REPORT_FILE,
  type ReportSink,
  runId,
} from '@cc-ci/core';
import type { FastifyInstance } from 'fastify';

/** Who may hand reports on to this host, and where they go. */
export interface ReportReceiver {
  token: string;
  sink: ReportSink;
}

interface ReportRequest {
  Params: { run: string; '*': string };
  Body: Buffer;
}

/**
 * `PUT /api/reports/<run>/<path>` puts a file of a run's report there, `PATCH` adds to one that grows (`x-offset`).
 * 401 without the token, 400 for what is no report.
 */
export function addReports(app: FastifyInstance, { token, sink }: ReportReceiver): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${token}`);

  app.register(async (scope) => {
    scope.addContentTypeParser(
      'application/octet-stream',
      { parseAs: 'buffer', bodyLimit: LARGEST_REPORT_FILE },
      (_request, body, done) => done(null, body),
    );
    // Before the body is read.
    scope.addHook('onRequest', async (request, reply) => {
      if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return;
      return reply.code(401).type('text/plain').send('the token is not the one this host expects\n');
    });
    scope.route<ReportRequest>({
      method: ['PUT', 'PATCH'],
      url: '/api/reports/:run/*',
      async handler(request, reply) {
        const { run, '*': path } = request.params;
        const offset = Number(request.headers['x-offset'] ?? 0);
        const problem = problemOf(run, path, offset, request.method);
        if (problem) return reply.code(400).type('text/plain').send(`${problem}\n`);
        try {
          if (request.method === 'PUT') {
            await sink.put(run, path, request.body);
            return { size: request.body.length };
          }
          return { size: await sink.append(run, path, offset, request.body) };
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          return reply.code(400).type('text/plain').send(`${error.message}\n`);
        }
      },
    });
  });
}

function problemOf(run: string, path: string, offset: number, method: string): string | undefined {
  if (!runId.safeParse(run).success) return `${JSON.stringify(run)} is no run`;
  if (!isReportPath(path)) return `${JSON.stringify(path)} is no file of a report`;
  if (method === 'PATCH' && !isGrowing(path)) return `${path} is no file that grows: PUT it`;
  return Number.isSafeInteger(offset) && offset >= 0 ? undefined : 'x-offset is no number of bytes';
}
