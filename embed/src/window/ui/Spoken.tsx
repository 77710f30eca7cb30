/**
 * What screen readers announce: what the agent writes, as plain text, one sentence after the other
 * as soon as it is complete. The transcript itself is silent, since it changes with every word.
 */
import { useMemo } from 'preact/hooks';
import { isUnderWay, type State } from '../conversation/window-state';
import { parseMarkdown, plainTextOf } from '../markdown';
import { completeSentences } from '../sentences';
import { useSurface } from './context';
import { noticeOf } from './Notice';

/** Answers that are kept: one may follow before the sentences of another were added. */
const KEPT = 3;

export function Spoken({ state }: { state: State }) {
  const { config, strings } = useSurface();
  const { messages, requests } = state;
  const answers = messages.filter(({ role }) => role === 'agent').slice(-KEPT);
  const form = requests.findLast(({ status, isOwn }) => status === 'open' && !isOwn);
  return (
    <div class="unseen" aria-live="polite">
      {isUnderWay(state) && <p key="notice">{noticeOf(config, strings)}</p>}
      {answers.map(({ id, text, state: progress }) => (
        <Answer key={id} text={text} isFinal={progress === 'done'} />
      ))}
      {form && <p key={form.id}>{`${strings.agent}: ${form.definition.title}`}</p>}
    </div>
  );
}

interface AnswerProps {
  text: string;
  isFinal: boolean;
}

/** Read again only when it has changed: everything else that happens comes by here as well. */
function Answer({ text, isFinal }: AnswerProps) {
  const { strings } = useSurface();
  const sentences = useMemo(() => {
    const { lang } = document.documentElement;
    return completeSentences(plainTextOf(parseMarkdown(text)), lang, isFinal);
  }, [text, isFinal]);
  return (
    <>
      {sentences.map((sentence, index) => (
        <p>{index ? sentence : `${strings.agent}: ${sentence}`}</p>
      ))}
    </>
  );
}
