/** A microphone that is denied, blocked by the page, or missing is explained, and text works. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { checkLooks } from './looks';
import { story } from './story';
import { createWidget, until } from './system';
import type { Visitor } from './visitor';

declare global {
  interface Window {
    /** Pulls out the microphone that was opened last, or all of them. */
    storyUnplug(which: 'last' | 'all'): void;
    storyPlugIn(): void;
  }
}

/**
 * Chromium's fake microphones stay plugged in. What this takes away is gone for the window as a
 * real one is: its track ends, it is not listed, and it cannot be opened.
 */
const PLUGS = `{
  const { mediaDevices } = navigator;
  const gone = new Set();
  let all = false;
  let last;
  const isGone = ({ kind, deviceId }) => kind === 'audioinput' && (all || gone.has(deviceId));
  if (mediaDevices) {
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    const list = mediaDevices.enumerateDevices.bind(mediaDevices);
    mediaDevices.enumerateDevices = async () => (await list()).filter((each) => !isGone(each));
    mediaDevices.getUserMedia = async ({ audio }) => {
      const left = await mediaDevices.enumerateDevices();
      const device = left.find(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== 'default');
      if (!device) throw new DOMException('no device', 'NotFoundError');
      const deviceId = audio.deviceId ?? { exact: device.deviceId };
      [last] = (await open({ audio: { ...audio, deviceId } })).getAudioTracks();
      return new MediaStream([last]);
    };
    const change = () => mediaDevices.dispatchEvent(new Event('devicechange'));
    window.storyUnplug = (which) => {
      all = which === 'all';
      gone.add(last.getSettings().deviceId);
      last.stop();
      last.dispatchEvent(new Event('ended'));
      change();
    };
    window.storyPlugIn = () => {
      all = false;
      gone.clear();
      change();
    };
  }
}`;

describe('without a microphone', () => {
  const here = story();

  test('a denial is explained, and text works', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame
      .getByText('The microphone was not allowed. You can continue in writing.')
      .waitFor();
    await visitor.screenshot('microphone-denied');
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
  });

  test("the page's own policy is explained, and text works", async () => {
    const visitor = await here.arrive({ microphone: true, path: '/no-microphone' });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame
      .getByText('This page does not allow the microphone. You can continue in writing.')
      .waitFor();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
  });
});

describe('a microphone that is pulled out during a call', { timeout: 90_000 }, () => {
  const here = story();

  async function talk(): Promise<Visitor> {
    const visitor = await here.arrive({ microphone: true, scripts: [OPEN_ROOTS, PLUGS] });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.waitForTurn('agent', /Hello/);
    return visitor;
  }

  /** Waits until the newest microphone hears the visitor. */
  async function waitForVoice(visitor: Visitor) {
    const before = (await visitor.probe()).microphone.bursts.length;
    await until(
      'the voice',
      async () => (await visitor.probe()).microphone.bursts.length > before,
      30_000,
    );
  }

  test('is replaced by another one, and the call continues', async () => {
    const visitor = await talk();
    await visitor.frame.evaluate(() => window.storyUnplug('last'));
    await until('another microphone', async () => {
      const [first, second] = (await visitor.probe()).microphones;
      return first && second && first !== second;
    });
    await waitForVoice(visitor);
    expect(await visitor.button('End call').count()).toBe(1);
    expect(await visitor.frame.getByRole('alert').count()).toBe(0);
    expect(visitor.joinings).toHaveLength(1);
  });

  test('is missed when there is no other, and plugged in again continues the call', async () => {
    const visitor = await talk();
    await visitor.frame.evaluate(() => window.storyUnplug('all'));
    await visitor.frame
      .getByText('No microphone was found. You can continue in writing.')
      .waitFor();
    await checkLooks(visitor, 'microphone-missing', 'ltr');
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
    await visitor.frame.evaluate(() => window.storyPlugIn());
    await visitor.frame.getByText('Your call is paused.').waitFor();
    await checkLooks(visitor, 'call-paused', 'ltr');
    await visitor.button('Continue call').click();
    await visitor.button('End call').waitFor();
    await waitForVoice(visitor);
    expect(visitor.joinings, 'in the same room').toHaveLength(1);
    expect(visitor.consoleErrors()).toEqual([]);
  });
});

describe('without a microphone and with voice only', () => {
  const here = story();

  test('what is true is said, and nothing about writing', async () => {
    const widgetId = await createWidget({
      modes: { text: false, voice: true },
      default_mode: 'voice',
      fallback: { url: 'https://harbour-coffee.example/contact' },
    });
    const visitor = await here.arrive({ widgetId, scripts: [OPEN_ROOTS] });
    await visitor.open();
    await visitor.frame.getByText('The microphone was not allowed. Please allow it').waitFor();
    expect(await visitor.frame.getByText('in writing').count()).toBe(0);
    expect(await visitor.frame.getByRole('link', { name: 'Other ways' }).count()).toBe(1);
    await visitor.screenshot('voice-only-denied');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.button('Talk').waitFor();
  });
});

describe('without any device', () => {
  const here = story('none');

  test('that is explained, and text works', async () => {
    const visitor = await here.arrive({ microphone: true });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame
      .getByText('No microphone was found. You can continue in writing.')
      .waitFor();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
  });
});
