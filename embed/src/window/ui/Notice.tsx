/** Says that the agent is an AI, links the privacy policy, and asks for consent. */
import { useSurface } from './context';

function Sentence() {
  const { config, strings } = useSurface();
  const { text, privacy_url } = config.notice;
  return (
    <>
      {text || strings.notice}{' '}
      {privacy_url && (
        <a href={privacy_url} target="_blank" rel="noopener noreferrer">
          {strings.privacy}
        </a>
      )}
    </>
  );
}

export function Notice() {
  return (
    <p class="notice" dir="auto">
      <Sentence />
    </p>
  );
}

export function Consent() {
  const { strings, session } = useSurface();
  return (
    <div class="consent">
      <p dir="auto">
        <Sentence />
      </p>
      <button type="button" class="big primary" onClick={() => session.giveConsent()}>
        {strings.consent}
      </button>
    </div>
  );
}
