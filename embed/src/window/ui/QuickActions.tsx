/** The configured shortcuts, as a row of chips above the input. */
import type { QuickAction } from '../config';
import { safeHref } from '../markdown';
import { useSurface } from './context';

/** Also telephone numbers: an owner's button may link to one, a message may not. */
function hrefOf(address: string): string | null {
  return /^tel:[+\d().\s-]+$/i.test(address) ? address : safeHref(address);
}

export function QuickActions() {
  const { config, session } = useSurface();
  if (!config.quick_actions.length) return null;
  return (
    <ul class="chips">
      {config.quick_actions.map((item) => (
        <li key={item.id}>
          <Chip item={item} onTap={() => run(item)} />
        </li>
      ))}
    </ul>
  );

  function run({ action }: QuickAction) {
    if (action.type === 'send_message') sendOnce(action.text);
    else if (action.type === 'start_voice') session.startCall();
    else if (action.type === 'show_form') session.openForm(action.form_id);
  }

  /** Tapped twice, it is not said twice before there is an answer. */
  function sendOnce(wanted: string) {
    const { messages, isAwaitingAnswer } = session.state;
    const { role, text, state } = messages.at(-1) ?? {};
    const isSaid = role === 'visitor' && text === wanted.trim();
    if (isSaid && (isAwaitingAnswer || state === 'waiting')) session.sendAgain();
    else session.sendMessage(wanted);
  }
}

function Chip({ item: { action, label }, onTap }: { item: QuickAction; onTap(): void }) {
  if (action.type !== 'open_url')
    return (
      <button type="button" class="chip" dir="auto" onClick={onTap}>
        {label}
      </button>
    );
  const href = hrefOf(action.url);
  return href ? (
    <a class="chip" dir="auto" href={href} target="_blank" rel="noopener noreferrer">
      {label}
    </a>
  ) : null;
}
