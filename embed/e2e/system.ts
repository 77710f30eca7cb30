/** The running system: its addresses, its management API, and how to stop and start its parts. */

function requireVariable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask test story\``);
  return value;
}

export const system = {
  service: requireVariable('STORY_SERVICE_URL'),
  site: requireVariable('STORY_SITE_URL'),
  widgetId: requireVariable('STORY_WIDGET_ID'),
  chromium: requireVariable('STORY_CHROMIUM'),
  firefox: requireVariable('STORY_FIREFOX'),
  /** The file with the records of the service. */
  database: requireVariable('STORY_DATABASE'),
  /** A recording of "What are your opening hours?" with silence around it. */
  speech: requireVariable('STORY_SPEECH'),
  /** Where screenshots and logs go. */
  output: requireVariable('STORY_OUTPUT'),
  /** Where the browsers have their profiles. */
  browsers: `${requireVariable('STORY_OUTPUT')}/browsers`,
  /** Whether pictures are saved also of what works. */
  savesPictures: !!process.env.STORY_PICTURES,
};

export type Part = 'livekit-server' | 'agent';

/** Stops a part, or starts it and waits until it is ready. */
export async function control(what: 'stop' | 'start', part: Part): Promise<void> {
  const answer = await fetch(`${requireVariable('STORY_CONTROL_URL')}/${what}/${part}`, {
    method: 'POST',
  });
  if (!answer.ok) throw new Error(`cannot ${what} ${part}: ${await answer.text()}`);
}

/** Calls the service's management API with the organization's API key. */
export async function callApi<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
  const answer = await fetch(`${system.service}/core${path}`, {
    method,
    headers: {
      authorization: `Bearer ${requireVariable('STORY_API_KEY')}`,
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

interface Widget {
  id: string;
  agent_id: string;
  agent_version_id: string;
  domains: string[];
  config: { v1: Record<string, unknown> };
}

type PinnedVersion = Pick<Widget, 'agent_id' | 'agent_version_id'>;

/** Creates a widget like that of the demo but for some of its configuration; returns its id. */
export async function createWidget(changes: object, pinned?: PinnedVersion): Promise<string> {
  const demo = await callApi<Widget>(`/web-widgets/${system.widgetId}`);
  const { agent_id, agent_version_id, domains, config } = demo;
  const { id } = await callApi<Widget>('/web-widgets', 'POST', {
    agent_id,
    agent_version_id,
    ...pinned,
    domains,
    published: true,
    config: { v1: { ...config.v1, ...changes } },
  });
  return id;
}

/** Creates an agent for which no worker comes. */
export async function createAbsentAgent(): Promise<PinnedVersion> {
  type Created = { id: string };
  const name = `absent-${crypto.randomUUID()}`;
  const agent = await callApi<Created>('/agents', 'POST', { name });
  const versions = `/agents/${agent.id}/versions`;
  const version = await callApi<Created>(versions, 'POST', { livekit_agent_name: name });
  await callApi(`${versions}/${version.id}/publish`, 'POST', {});
  return { agent_id: agent.id, agent_version_id: version.id };
}

/** In milliseconds: each look needs the processor for which the system waits. */
const POLL_INTERVAL = 80;

/** Waits until `find` finds something, and returns it; the error names what was missing. */
export async function until<T>(
  what: string,
  find: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeout = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${timeout / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
  }
}
