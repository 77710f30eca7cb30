/** Before the first message: a greeting and the suggested questions. */
import { Avatar } from './Avatar';
import { useSurface } from './context';
import { Icon } from './icons';

/** `canAsk`: not during a call, which leaves no room for the questions. */
export function Welcome({ canAsk }: { canAsk: boolean }) {
  const { config, strings, session } = useSurface();
  return (
    <div class="welcome">
      <Avatar />
      <h2>
        <span dir="auto">{config.chat.greeting || strings.greeting}</span>
      </h2>
      {canAsk && config.modes.text && config.suggested_questions.length > 0 && (
        <ul class="suggestions">
          {config.suggested_questions.map((question) => (
            <li key={question}>
              <button type="button" onClick={() => session.sendMessage(question)}>
                <span dir="auto">{question}</span>
                <Icon name="arrow" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
