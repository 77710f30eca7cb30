/**
 * Says that the agent is an AI, links the privacy policy, and asks for consent. The owner's text is
 * added to the fixed sentence and never replaces it: the law asks for it, not the owner.
 */
import { useEffect, useRef } from 'preact/hooks';
import type { Config } from '../config';
import type { Strings } from '../i18n';
import { useSurface } from './context';

export function noticeOf(config: Config, strings: Strings): string {
  const { text } = config.notice;
  return text ? `${strings.notice} ${text}` : strings.notice;
}

function Sentence() {
  const { config, strings } = useSurface();
  const { text, privacy_url } = config.notice;
  return (
    <>
      {strings.notice} {text && <span dir="auto">{text}</span>}{' '}
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
    <p class="notice">
      <Sentence />
    </p>
  );
}

/** What the menu leads to: the same once more, or that its item did not work. */
export type Note = 'about' | 'failed';

export function MenuNote({ note, close }: { note: Note; close(): void }) {
  const { strings } = useSurface();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <div class="banner" role="status">
      <p>{note === 'about' ? <Sentence /> : strings.failed}</p>
      <div class="choices">
        <button type="button" class="small" ref={button} onClick={close}>
          {strings.ok}
        </button>
      </div>
    </div>
  );
}

export function Consent() {
  const { strings, session } = useSurface();
  return (
    <div class="consent">
      <p>
        <Sentence />
      </p>
      <button type="button" class="big primary" onClick={() => session.giveConsent()}>
        {strings.consent}
      </button>
    </div>
  );
}
