/** The running system: where it is, and how to ask something of its service or take a part of it down. */

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask test story\``);
  return value;
}

export const system = {
  service: given('STORY_SERVICE_URL'),
  site: given('STORY_SITE_URL'),
  widgetId: given('STORY_WIDGET_ID'),
  chromium: given('STORY_CHROMIUM'),
  /** A recording of "What are your opening hours?" with silence around it. */
  speech: given('STORY_SPEECH'),
  /** Where screenshots and logs go. */
  output: given('STORY_OUTPUT'),
};

export type Part = 'livekit-server' | 'agent';

/** Stops a part, or starts it again and waits until it is ready. */
export async function order(what: 'stop' | 'start', part: Part): Promise<void> {
  const answer = await fetch(`${given('STORY_CONTROL_URL')}/${what}/${part}`, { method: 'POST' });
  if (!answer.ok) throw new Error(`cannot ${what} ${part}: ${await answer.text()}`);
}

/** Asks the service's management API with the organization's key. */
export async function ask<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
  const answer = await fetch(`${system.service}/core${path}`, {
    method,
    headers: {
      authorization: `Bearer ${given('STORY_API_KEY')}`,
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Waits for a condition and gives what it found; says what it waited for when it does not come. */
export async function until<T>(
  what: string,
  find: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  patience = 20_000,
): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${patience / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
