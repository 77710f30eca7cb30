/**
 * What few visitors use: copying, the transcript as a file, a sound, another microphone than the
 * one that was unplugged. A chunk of its own.
 */
import type { Message } from './conversation/transcript';
import type { Strings } from './i18n';
import { clockTime, dayName, isSameDay } from './times';

/** How loud the sound is, from 0 to 1, and how long each of its two tones is, in seconds. */
const VOLUME = 0.06;
const TONE_TIME = 0.18;
const TONES = [660, 880];

/** Copies a text, also where the page does not allow the clipboard to frames; or rejects. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const { activeElement } = document;
    const area = Object.assign(document.createElement('textarea'), { value: text });
    area.className = 'unseen';
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand('copy');
    area.remove();
    (activeElement as HTMLElement | null)?.focus();
    if (!isCopied) throw new Error('the browser rejected the copy');
  }
}

/** The whole conversation as plain text. */
export function transcriptText(
  title: string,
  messages: Message[],
  { you, agent, unsent }: Pick<Strings, 'you' | 'agent' | 'unsent'>,
  language: string,
): string {
  const lines = messages.flatMap(({ role, text, created_at, state }, index) => {
    const before = messages[index - 1];
    const day = dayName(created_at, Number.NaN, language);
    const mark = state === 'waiting' ? `[${unsent}]\n` : '';
    return [
      ...(before && isSameDay(before.created_at, created_at) ? [] : [`${day}\n`]),
      `[${clockTime(created_at, language)}] ${role === 'agent' ? agent : you}:\n${text}\n${mark}`,
    ];
  });
  return `${[`${title}\n`, ...lines].join('\n')}`;
}

/** Offers the conversation to the visitor as a file. */
export function saveTranscript(
  title: string,
  messages: Message[],
  strings: Pick<Strings, 'you' | 'agent' | 'unsent'>,
) {
  const text = transcriptText(title, messages, strings, document.documentElement.lang);
  const day = new Date().toISOString().slice(0, 10);
  const href = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = Object.assign(document.createElement('a'), {
    href,
    download: `${title}-${day}.txt`,
  });
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** Resolves once there is a microphone; its name may be hidden. */
export async function waitForMicrophone() {
  const devices = navigator.mediaDevices;
  while (!(await devices.enumerateDevices()).some(({ kind }) => kind === 'audioinput'))
    await new Promise((resolve) =>
      devices.addEventListener('devicechange', resolve, { once: true }),
    );
}

let context: AudioContext | undefined;

/** Two soft tones; silent where the browser allows no sound before a tap. */
export function playSound() {
  context ??= new AudioContext();
  const { currentTime, destination } = context;
  if (context.state === 'suspended') context.resume().catch(() => {});
  for (const [index, frequency] of TONES.entries()) {
    const start = currentTime + index * TONE_TIME * 0.6;
    const tone = new OscillatorNode(context, { frequency });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.setTargetAtTime(VOLUME, start, 0.01);
    volume.gain.setTargetAtTime(0, start + TONE_TIME / 2, TONE_TIME / 4);
    tone.connect(volume).connect(destination);
    tone.start(start);
    tone.stop(start + TONE_TIME * 2);
  }
}
