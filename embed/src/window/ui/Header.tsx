/** The agent's name, the menu, and the way out. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isPast, isUnderWay, type State } from '../conversation/window-state';
import { isTouch } from '../touch';
import { Logo } from './Avatar';
import { useSurface } from './context';
import { Icon } from './icons';
import { Menu, type MenuItem } from './Menu';
import type { Note } from './Notice';

/** What the visitor is asked to confirm: both lose the conversation. */
type Question = 'end' | 'start_over';

export function Header({ state, showNote }: { state: State; showNote(note: Note): void }) {
  const { config, strings, session, close, canExpand } = useSurface();
  const [hasSound, setSound] = useState(session.hasSound);
  const [question, ask] = useState<Question | null>(null);
  const { messages, isExpanded } = state;
  const title = config.chat.title || strings.chat;
  const current = isPast(state) ? null : state.conversationId;
  // What was asked about one conversation is not asked about the next one.
  useLayoutEffect(() => ask(null), [current]);
  const about = config.notice.privacy_url ? strings.about : strings.about_ai;
  const items: MenuItem[] = [{ label: about, action: () => showNote('about') }];
  const load = (use: (extras: typeof import('../extras')) => void) =>
    import('../extras').then(use).catch(() => showNote('failed'));
  if (messages.length)
    items.push({
      label: strings.save,
      action: () => load((extras) => extras.saveTranscript(title, messages, strings)),
    });
  items.push({
    label: strings.sound,
    isOn: hasSound,
    action: () => {
      session.hasSound = !hasSound;
      setSound(!hasSound);
      // On the tap, which is when browsers allow sound; and so that it is known.
      if (!hasSound) load((extras) => extras.playSound());
    },
  });
  if (current) {
    items.push({ label: strings.start_over, action: () => ask('start_over') });
    if (isUnderWay(state)) items.push({ label: strings.end, action: () => ask('end') });
  }
  const { phase } = state;
  const isPresent = phase.name === 'live' && phase.agent !== 'absent' && !phase.isSilent;
  return (
    <header class="header">
      <Logo />
      <div class="heading">
        <h1 id="title" dir="auto">
          {title}
        </h1>
        <p class={isPresent ? 'presence' : ''} dir="auto">
          {config.chat.subtitle || strings.subtitle}
        </p>
      </div>
      <Menu items={items} />
      {/* Phones and tablets have no room to grow. */}
      {canExpand && !isTouch() && (
        <button
          type="button"
          class="plain"
          aria-label={strings.expand}
          aria-pressed={isExpanded}
          onClick={() => session.enlarge(!isExpanded)}
        >
          <Icon name={isExpanded ? 'shrink' : 'expand'} />
        </button>
      )}
      <button type="button" class="plain" aria-label={strings.close} onClick={close}>
        <Icon name="close" />
      </button>
      {current && question && (
        <Confirmation
          label={strings[question]}
          cancel={() => ask(null)}
          confirm={() => {
            ask(null);
            if (question === 'end') session.end();
            else session.startOver(true);
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
        // Or the browser closes what is open on a phone: the window.
        event.preventDefault();
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
