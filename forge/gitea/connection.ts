/** The connection to one Gitea server: its API with checked answers, and its base address. */
import { Api, type HttpResponse } from 'gitea-js';
import type { z } from 'zod';
import { JigError } from '../../base/errors.ts';
import { createLimitByKey, type LimitByKey } from '../../base/limits.ts';
import { RepositoryName } from '../contract.ts';
import { ForgeFailure } from '../errors.ts';
import { createHostFetch } from '../host-fetch.ts';

export interface GiteaOptions {
  /** The forge's name in runs. */
  name: string;
  /** The server's address, such as `https://git.example.com`. */
  url: string;
  /** Called for each request, so that a new token is used. */
  token: () => Promise<string>;
  /** Allows to send the token unencrypted to a server that is not on this machine. */
  allowHttp?: boolean;
  /** The prefix by which the server recognizes a draft: the first of its `WORK_IN_PROGRESS_PREFIXES`. */
  draftPrefix?: string;
  timeoutMs?: number;
}

type Answer = Promise<Pick<HttpResponse<unknown>, 'data' | 'headers'>>;

export interface Connection {
  name: string;
  /** Without a slash at the end. */
  url: string;
  token: () => Promise<string>;
  draftPrefix: string;
  api: Api<unknown>;
  /** Serializes operations that look and then write. Between processes, the server has the last word. */
  oneAtATime: LimitByKey;
  /** The answer, checked by the schema. @throws ForgeFailure */
  ask<T>(schema: z.ZodType<T>, answer: Answer): Promise<T>;
  /** Like `ask`, but undefined if there is no such thing. */
  find<T>(schema: z.ZodType<T>, answer: Answer): Promise<T | undefined>;
  /** The items page by page, as long as the server says that there are more. */
  pages<T>(schema: z.ZodType<T>, ask: (page: { page: number; limit: number }) => Answer): AsyncGenerator<T>;
  /** The items of all pages. */
  list<T>(schema: z.ZodType<T>, ask: (page: { page: number; limit: number }) => Answer): Promise<T[]>;
}

const pageSize = 50;
/** More pages than any repository should have. Beyond this, something is wrong. */
const maxPages = 1000;

/** Connects to a server. @throws JigError `config-invalid` if the address can't be used safely */
export function connect({
  name,
  url,
  token,
  allowHttp = false,
  draftPrefix = 'WIP: ',
  timeoutMs,
}: GiteaOptions): Connection {
  const base = checkedUrl(name, url, allowHttp);
  const authorization = async (): Promise<string> => `token ${await token()}`;
  const api = new Api({
    baseUrl: `${base}/api/v1`,
    baseApiParams: { format: 'json' },
    customFetch: createHostFetch({ host: name, authorization, ...(timeoutMs !== undefined && { timeoutMs }) }),
  });

  const checked = <T>(schema: z.ZodType<T>, data: unknown): T => {
    const { success, data: value, error } = schema.safeParse(data);
    if (!success)
      throw new ForgeFailure(
        'forge-unavailable',
        `${name} answered something that does not fit its API: ${error.issues[0]?.path.join('.') || 'no JSON'} ${error.issues[0]?.message ?? ''}`,
      );
    return value;
  };
  const ask: Connection['ask'] = async (schema, answer) => checked(schema, (await answer).data);
  const pages: Connection['pages'] = async function* (schema, askPage) {
    for (let page = 1; page <= maxPages; page += 1) {
      const { data, headers } = await askPage({ page, limit: pageSize });
      yield* checked(schema.array(), data);
      // The server may give fewer items than it was asked for, so only its own link to a next page counts.
      if (!/\brel="next"/.test(headers.get('link') ?? '')) return;
    }
    throw new ForgeFailure('forge-refused', `${name} has more than ${maxPages} pages of one list.`);
  };
  return {
    name,
    url: base,
    token,
    draftPrefix,
    api,
    ask,
    pages,
    oneAtATime: createLimitByKey(1),
    async list(schema, askPage) {
      const all = [];
      for await (const each of pages(schema, askPage)) all.push(each);
      return all;
    },
    async find(schema, answer) {
      try {
        return await ask(schema, answer);
      } catch (error) {
        if (error instanceof ForgeFailure && error.code === 'forge-not-found') return undefined;
        throw error;
      }
    },
  };
}

function checkedUrl(name: string, text: string, allowHttp: boolean): string {
  const url = URL.parse(text);
  const wrong = (why: string) => new JigError('config-invalid', `The address of the forge ${name} ${why}`);
  if (!url || !['https:', 'http:'].includes(url.protocol)) throw wrong('is neither https nor http');
  if (url.username || url.password || url.search || url.hash)
    throw wrong('has more than a host and a path; name the token with tokenEnv or tokenFile');
  const isLoopback = url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\.[\d.]+$/.test(url.hostname);
  if (url.protocol === 'http:' && !isLoopback && !allowHttp)
    throw wrong('is http, which shows the token to the network; set allowHttp: true to accept that');
  return url.href.replace(/\/+$/, '');
}

/** Splits `owner/name` for use in paths. @throws ForgeFailure `forge-not-found` if that can't be a repository's name */
export function split(repository: string): [owner: string, name: string] {
  const [owner = '', name = ''] = RepositoryName.safeParse(repository).success ? repository.split('/') : [];
  if ([owner, name].some((part) => /^\.*$/.test(part)))
    throw new ForgeFailure('forge-not-found', `${JSON.stringify(repository)} is not a repository's name.`);
  return [owner, name];
}
