/** The agent's name, the menu, and the way out. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isPast, isUnderWay, type State } from '../conversation/window-state';
import { Logo } from './Avatar';
import { useSurface } from './context';
import { Icon } from './icons';
import { Menu, type MenuItem } from './Menu';

/** What the visitor is asked to confirm: both lose the conversation. */
type Question = 'end' | 'start_over';

export function Header({ state, showNotice }: { state: State; showNotice(): void }) {
  const { config, strings, session, close } = useSurface();
  const [question, ask] = useState<Question | null>(null);
  const exists = state.conversationId !== null && !isPast(state);
  const canEnd = exists && isUnderWay(state);
  const items: MenuItem[] = [{ label: strings.about, action: showNotice }];
  if (exists) items.push({ label: strings.start_over, action: () => ask('start_over') });
  if (canEnd) items.push({ label: strings.end, action: () => ask('end') });
  const { phase } = state;
  const isPresent = phase.name === 'live' && phase.agent !== 'absent' && !phase.isSilent;
  return (
    <header class="header">
      <Logo />
      <div class="heading">
        <h1 id="title">{config.chat.title || strings.chat}</h1>
        <p class={isPresent ? 'presence' : ''}>{config.chat.subtitle || strings.subtitle}</p>
      </div>
      <Menu items={items} />
      <button type="button" class="plain" aria-label={strings.close} onClick={close}>
        <Icon name="close" />
      </button>
      {exists && question && (
        <Confirmation
          label={strings[question]}
          cancel={() => ask(null)}
          confirm={() => {
            ask(null);
            if (question === 'end') session.end();
            else session.startOver();
          }}
        />
      )}
    </header>
  );
}

interface ConfirmationProps {
  label: string;
  cancel(): void;
  confirm(): void;
}

function Confirmation({ label, cancel, confirm }: ConfirmationProps) {
  const { strings } = useSurface();
  const first = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => first.current?.focus(), []);
  return (
    <fieldset
      class="confirm"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        cancel();
      }}
    >
      <button type="button" class="small" ref={first} onClick={cancel}>
        {strings.cancel}
      </button>
      <button type="button" class="small danger" onClick={confirm}>
        {label}
      </button>
    </fieldset>
  );
}
