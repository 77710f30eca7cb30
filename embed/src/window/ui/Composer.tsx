/** Where the visitor types or starts a call; during a call, typing continues to be possible. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { modeOf, type State } from '../conversation/window-state';
import { useSurface } from './context';
import { isComposing } from './focus';
import { Icon } from './icons';

/** In UTF-16 units; the service and LiveKit accept more, and nobody types more by hand. */
const MAX_LENGTH = 4_000;
/** From here on, the visitor sees how much there is. */
const COUNTED_LENGTH = 3_600;

export function Composer({ state }: { state: State }) {
  const { config, strings, session } = useSurface();
  const { draft: text } = state;
  const area = useRef<HTMLTextAreaElement>(null);
  const { modes } = config;
  const isTooLong = text.length > MAX_LENGTH;
  const hasText = text.trim() !== '';
  const canSend = hasText && !isTooLong;
  const canCall = modes.voice && modeOf(state) === 'text';

  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  function send() {
    if (!canSend) return;
    session.sendMessage(text);
    session.draft = '';
    area.current?.focus();
  }

  if (!modes.text && !canCall) return null;
  return (
    <>
      {text.length > COUNTED_LENGTH && (
        <p id="length" class={isTooLong ? 'length fault' : 'length'} role="status">
          {isTooLong && strings.too_long} {count(text.length)} / {count(MAX_LENGTH)}
        </p>
      )}
      <form
        class="composer"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {modes.text && (
          <textarea
            ref={area}
            rows={1}
            dir={text ? 'auto' : undefined}
            aria-invalid={isTooLong || undefined}
            aria-describedby={text.length > COUNTED_LENGTH ? 'length' : undefined}
            value={text}
            enterkeyhint="send"
            placeholder={config.chat.placeholder || strings.placeholder}
            aria-label={config.chat.placeholder || strings.placeholder}
            onInput={({ currentTarget }) => {
              session.draft = currentTarget.value;
            }}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
              event.preventDefault();
              send();
            }}
          />
        )}
        {canCall && (!hasText || !modes.text) && (
          <button
            type="button"
            class={modes.text ? 'round' : 'round wide filled'}
            aria-label={strings.talk}
            // Not `disabled`, which would take the focus away; the session ignores a second tap.
            aria-disabled={state.voice.name === 'requested'}
            onClick={() => session.startCall()}
          >
            <Icon name="microphone" />
            {!modes.text && strings.talk}
          </button>
        )}
        {modes.text && (hasText || !canCall) && (
          <button type="submit" class="round filled" aria-label={strings.send} disabled={!canSend}>
            <Icon name="send" />
          </button>
        )}
      </form>
    </>
  );
}

function count(number: number): string {
  return number.toLocaleString(document.documentElement.lang);
}
