/** Where the visitor types or starts a call; during a call, typing continues to be possible. */
import { type Dispatch, useLayoutEffect, useRef } from 'preact/hooks';
import { modeOf, type State } from '../conversation/window-state';
import { useSurface } from './context';
import { isComposing } from './focus';
import { Icon } from './icons';

/** The service and LiveKit accept more; nobody types more by hand. */
const MAX_LENGTH = 4_000;

interface Props {
  state: State;
  draft: [string, Dispatch<string>];
}

export function Composer({ state, draft: [text, setText] }: Props) {
  const { config, strings, session } = useSurface();
  const area = useRef<HTMLTextAreaElement>(null);
  const { modes } = config;
  const canSend = text.trim() !== '';
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
    setText('');
    area.current?.focus();
  }

  if (!modes.text && !canCall) return null;
  return (
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
          maxLength={MAX_LENGTH}
          value={text}
          enterkeyhint="send"
          placeholder={config.chat.placeholder || strings.placeholder}
          aria-label={config.chat.placeholder || strings.placeholder}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
            event.preventDefault();
            send();
          }}
        />
      )}
      {canCall && (!canSend || !modes.text) && (
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
      {modes.text && (canSend || !canCall) && (
        <button type="submit" class="round filled" aria-label={strings.send} disabled={!canSend}>
          <Icon name="send" />
        </button>
      )}
    </form>
  );
}
