/** A visitor returns: the conversation continues in another room, and the old one is closed. */
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { until } from './system';

describe('a visitor who returns', () => {
  const here = story();

  /** In another tab, after the first was closed. */
  async function returnLater() {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await until(
      'LiveKit to refresh the participant token',
      () => visitor.refreshedTokens.length > 0,
    );
    const later = await visitor.openTab();
    await visitor.page.close();
    await later.open();
    await later.frame.getByText('Continue where you left off?').waitFor();
    return { visitor: later, first: visitor.joinings[0], tokens: visitor.refreshedTokens };
  }

  test('continues in another room, with the transcript in place and known to the agent', async () => {
    const { visitor, first } = await returnLater();
    const before = await visitor.transcript();
    expect(before).toContainEqual({ role: 'visitor', text: 'What are your opening hours?' });
    expect(before.some(({ role, text }) => role === 'agent' && /We are open/.test(text))).toBe(
      true,
    );
    await visitor.screenshot('offer-light');

    await visitor.button('Continue').click();
    await visitor.waitForTurn(
      'agent',
      /Welcome back! You last asked: “What are your opening hours\?”/,
    );
    const [second] = visitor.joinings;
    expect(second?.conversation.id).toBe(first?.conversation.id);
    expect(second?.room_name).not.toBe(first?.room_name);
    expect(second?.conversation_token).not.toBe(first?.conversation_token);
    expect((await visitor.transcript()).slice(0, before.length)).toEqual(before);

    await visitor.sendMessage('What did I ask before?');
    await visitor.waitForTurn('agent', /Before this you asked: “What are your opening hours\?”/);
    expect(await visitor.violations()).toEqual([]);
    expect(visitor.consoleErrors()).toEqual([]);
  });

  test('while the service is slow types at once, and continues with that', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    const later = await visitor.openTab();
    await visitor.page.close();
    let answer: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await later.context.route('**/conversations/*', async (route) => {
      await held;
      await route.continue();
    });
    await later.open();
    await until('the focus in the input', () =>
      later.frame.evaluate(
        () => document.hasFocus() && document.activeElement?.localName === 'textarea',
      ),
    );
    await later.page.keyboard.insertText('How much is a bag?');
    await later.page.keyboard.press('Enter');
    await later.frame.getByText('Sending…').waitFor();
    expect(later.joinings, 'none in place of the one that continues').toEqual([]);
    answer();
    await later.waitForTurn('agent', /12 euros/);
    const said = (await later.transcript()).filter(({ role }) => role === 'visitor');
    expect(said.map(({ text }) => text)).toEqual([
      'What are your opening hours?',
      'How much is a bag?',
    ]);
    const [joining] = later.joinings;
    expect(joining?.conversation.id).toBe(visitor.joinings[0]?.conversation.id);
  });

  test('may also start over', async () => {
    const { visitor, first } = await returnLater();
    await visitor.button('Start over').click();
    await until('an empty transcript', async () => (await visitor.transcript()).length === 0);
    await visitor.sendMessage('What did I ask before?');
    await visitor.waitForTurn('agent', /You have not asked me anything before this/);
    expect(visitor.joinings[0]?.conversation.id).not.toBe(first?.conversation.id);
  });

  test('is removed from an old room, where no agent answers', async () => {
    const { visitor, first, tokens } = await returnLater();
    await visitor.button('Continue').click();
    await visitor.waitForTurn('agent', /Welcome back/);
    const token = tokens.find((each) => roomOf(each) === first?.room_name);
    expect(token, 'a token of LiveKit for the old room').toBeDefined();
    expect(token).not.toBe(first?.participant_token);

    const page = await visitor.context.newPage();
    await page.addScriptTag({
      path: createRequire(import.meta.url)
        .resolve('livekit-client')
        .replace(/[^/]+$/, 'livekit-client.umd.js'),
    });
    const outcome = await page.evaluate(joinOldRoom, {
      url: first?.server_url ?? '',
      token: token ?? '',
    });
    expect(outcome.said, 'words of an agent in the old room').toEqual([]);
    expect(outcome.end).toMatch(/^(removed|refused)/);
    // The conversation itself is not affected.
    await visitor.sendMessage('What are your prices?');
    await visitor.waitForTurn('agent', /\d/);
  });
});

function roomOf(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return claims.video?.room ?? '';
}

interface OldRoom {
  end: string;
  said: string[];
}

/** Runs in a page of its own, with LiveKit's client: joins and waits to be removed. */
async function joinOldRoom({ url, token }: { url: string; token: string }): Promise<OldRoom> {
  const { Room, RoomEvent } = (
    window as unknown as { LivekitClient: typeof import('livekit-client') }
  ).LivekitClient;
  const room = new Room();
  const said: string[] = [];
  room.registerTextStreamHandler('lk.transcription', async (reader) => {
    said.push(await reader.readAll());
  });
  const removal = new Promise<string>((resolve) =>
    room.on(RoomEvent.Disconnected, (reason) => resolve(`removed: ${reason}`)),
  );
  try {
    await room.connect(url, token, { maxRetries: 0, peerConnectionTimeout: 5_000 });
  } catch (error) {
    return { end: `refused: ${error}`, said };
  }
  const timeout = new Promise<string>((resolve) => setTimeout(() => resolve('stayed'), 10_000));
  return { end: await Promise.race([removal, timeout]), said };
}
