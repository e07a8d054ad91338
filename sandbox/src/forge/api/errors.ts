/** An answer that is not the one asked for. Without a body it is only a status, as Gitea does it in places. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: { message: string; errors?: readonly string[] | null } | undefined;

  constructor(status: number, body?: { message: string; errors?: readonly string[] | null }) {
    super(body?.message ?? `HTTP ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.body = body;
  }
}

export function refuse(status: number, message: string): ApiError {
  return new ApiError(status, { message });
}

/** 404, in Gitea's words; `detail` says what was looked for. */
export function notFound(detail?: string, message = "The target couldn't be found."): ApiError {
  return new ApiError(404, { message, errors: detail === undefined ? null : [detail] });
}

/** What Gitea answers where something is wrong that it did not expect; administrators would see more there. */
export function internalError(): ApiError {
  return refuse(500, '');
}
