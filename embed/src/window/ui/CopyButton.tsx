/** Copies a text, and says how that went: on the button, and to screen readers. */
import { useState } from 'preact/hooks';
import { useSurface } from './context';
import { type CopyState, copy } from './copy';

export function CopyButton({ text }: { text: string }) {
  const { strings } = useSurface();
  const [state, setState] = useState<CopyState>('copy');
  return (
    <>
      <button type="button" onClick={() => copy(text, setState)} onBlur={() => setState('copy')}>
        {strings[state]}
      </button>
      <span class="unseen" role="status">
        {state !== 'copy' && strings[state]}
      </span>
    </>
  );
}
