/** The agent's name, the menu, and the way out. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Config } from '../config';
import type { Message } from '../conversation/transcript';
import { isPast, isUnderWay, type State } from '../conversation/window-state';
import type { Strings } from '../i18n';
import { isTouch } from '../touch';
import { Logo } from './Avatar';
import { useSurface } from './context';
import { Icon } from './icons';
import { Menu, type MenuItem } from './Menu';
import type { Note } from './Notice';

/** What the visitor is asked to confirm: both lose the conversation. */
type Question = 'end' | 'start_over';

export function Header({ state, showNote }: { state: State; showNote(note: Note): void }) {
  const { config, strings, session, close, expand } = useSurface();
  const [hasSound, setSound] = useState(session.hasSound);
  const [isExpanded, setExpanded] = useState(false);
  const [question, ask] = useState<Question | null>(null);
  const { messages } = state;
  const exists = state.conversationId !== null && !isPast(state);
  const canEnd = exists && isUnderWay(state);
  const items: MenuItem[] = [{ label: strings.about, action: () => showNote('about') }];
  // The code of these items could not be loaded.
  const fail = () => showNote('failed');
  if (messages.length)
    items.push({
      label: strings.save,
      action: () => save(config, strings, messages).catch(fail),
    });
  items.push({
    label: strings.sound,
    isOn: hasSound,
    action: () => {
      session.hasSound = !hasSound;
      setSound(!hasSound);
      // On the tap, which is when browsers allow sound; and so that it is known.
      if (!hasSound) import('../extras').then((extras) => extras.playSound()).catch(fail);
    },
  });
  if (exists) items.push({ label: strings.start_over, action: () => ask('start_over') });
  if (canEnd) items.push({ label: strings.end, action: () => ask('end') });
  const { phase } = state;
  const isPresent = phase.name === 'live' && phase.agent !== 'absent' && !phase.isSilent;
  return (
    <header class="header">
      <Logo />
      <div class="heading">
        <h1 id="title" dir="auto">
          {config.chat.title || strings.chat}
        </h1>
        <p class={isPresent ? 'presence' : ''} dir="auto">
          {config.chat.subtitle || strings.subtitle}
        </p>
      </div>
      <Menu items={items} />
      {/* Phones and tablets have no room to grow. */}
      {expand && !isTouch() && (
        <button
          type="button"
          class="plain"
          aria-label={strings.expand}
          aria-pressed={isExpanded}
          onClick={() => {
            setExpanded(!isExpanded);
            expand(!isExpanded);
          }}
        >
          <Icon name={isExpanded ? 'shrink' : 'expand'} />
        </button>
      )}
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

/** Offers the conversation as a file. */
async function save(config: Config, strings: Strings, messages: Message[]) {
  const { lang } = document.documentElement;
  const title = config.chat.title || strings.chat;
  const { saveFile, transcriptText } = await import('../extras');
  const day = new Date().toISOString().slice(0, 10);
  saveFile(`${title}-${day}.txt`, transcriptText(title, messages, strings, lang));
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
