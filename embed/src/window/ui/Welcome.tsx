/** Before the first message: a greeting and the suggested questions. */
import { Avatar } from './Avatar';
import { useSurface } from './context';
import { Icon } from './icons';

export function Welcome() {
  const { config, strings, session } = useSurface();
  const canType = config.modes.text;
  return (
    <div class="welcome">
      <Avatar />
      <h2>
        <span dir="auto">{config.chat.greeting || strings.greeting}</span>
      </h2>
      {canType && config.suggested_questions.length > 0 && (
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
