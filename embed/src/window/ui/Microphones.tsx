/** Which microphone a call uses, where there are several: the browser's list behind a button. */
import { useEffect, useState } from 'preact/hooks';
import { useSurface } from './context';
import { Icon } from './icons';

interface Props {
  /** Whether the one that was chosen just now does not open; the call keeps the one it has. */
  setFailed(hasFailed: boolean): void;
}

export function Microphones({ setFailed }: Props) {
  const { strings, session } = useSurface();
  const [{ all, current }, setDevices] = useState({ all: [] as Microphone[], current: '' });

  async function update() {
    const all = await listMicrophones();
    setDevices({ all, current: session.microphoneId });
  }
  useEffect(() => {
    const stop = new AbortController();
    update();
    const { mediaDevices } = navigator;
    mediaDevices?.addEventListener('devicechange', update, { signal: stop.signal });
    return () => stop.abort();
  }, []);
  if (all.length < 2) return null;
  return (
    <label class="round devices">
      <Icon name="down" />
      <select
        aria-label={strings.choose_microphone}
        value={current}
        onChange={async ({ currentTarget: { value } }) => {
          setFailed(false);
          setDevices({ all, current: value });
          const isOpen = await session.chooseMicrophone(value).catch(() => false);
          setFailed(!isOpen);
          update();
        }}
        onBlur={() => setFailed(false)}
      >
        {all.map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Microphone {
  id: string;
  label: string;
}

/** Browsers name them only once one is open. */
async function listMicrophones(): Promise<Microphone[]> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return (
    devices
      // Chromium lists the one for calls a second time.
      .filter(
        ({ kind, label, deviceId }) =>
          kind === 'audioinput' && label && deviceId !== 'communications',
      )
      .map(({ deviceId, label }) => ({ id: deviceId, label }))
  );
}
