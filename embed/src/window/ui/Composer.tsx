/** Where the visitor types or starts a call. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { State } from '../conversation/window-state';
import { useSurface } from './context';
import { Icon } from './icons';

/** The service and LiveKit accept more; nobody types more by hand. */
const MAX_LENGTH = 4_000;

export function Composer({ state }: { state: State }) {
  const { config, strings, session } = useSurface();
  const [text, setText] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  const canSend = text.trim() !== '';

  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  // Not on a phone, where the keyboard would cover half of the window.
  useEffect(() => {
    if (state.isOpen && !matchMedia('(pointer: coarse)').matches) area.current?.focus();
  }, [state.isOpen]);

  function send() {
    if (!canSend) return;
    session.sendMessage(text);
    setText('');
    area.current?.focus();
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {config.modes.text && (
        <textarea
          ref={area}
          rows={1}
          dir={text ? 'auto' : undefined}
          maxLength={MAX_LENGTH}
          value={text}
          enterkeyhint="send"
          placeholder={config.chat.placeholder || strings.placeholder}
          aria-label={config.chat.placeholder || strings.placeholder}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={(event) => {
            // During composition, Enter belongs to the input method.
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
      )}
      {config.modes.voice && (!canSend || !config.modes.text) && (
        <button
          type="button"
          class={config.modes.text ? 'round' : 'round wide filled'}
          aria-label={strings.talk}
          disabled={state.voice.name === 'requested'}
          onClick={() => session.startCall()}
        >
          <Icon name="microphone" />
          {!config.modes.text && strings.talk}
        </button>
      )}
      {config.modes.text && (canSend || !config.modes.voice) && (
        <button type="submit" class="round filled" aria-label={strings.send} disabled={!canSend}>
          <Icon name="send" />
        </button>
      )}
    </form>
  );
}
