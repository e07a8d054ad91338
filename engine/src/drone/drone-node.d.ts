/** The part of drone-node 2.2 that is used here; it ships no types. Every call rejects with a plain object. */
declare module 'drone-node' {
  export class Client {
    constructor(config: { url: string; token: string });
    /** There is no option for a time limit; it is set where axios keeps it. */
    readonly _axios: { defaults: { timeout?: number } };
    getRepo(owner: string, repo: string): Promise<unknown>;
    getBuilds(owner: string, repo: string, page: number, limit: number): Promise<unknown>;
    getBuild(owner: string, repo: string, number: number): Promise<unknown>;
    cancelBuild(owner: string, repo: string, number: number): Promise<unknown>;
    getLogs(owner: string, repo: string, number: number, stage: number, step: number): Promise<unknown>;
  }
}
