/**
 * What screen readers announce: what the agent writes, as plain text, one sentence after the other
 * as soon as it is complete. The transcript itself is silent, since it changes with every word.
 */
import { Fragment } from 'preact';
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
  const { lang } = document.documentElement;
  const answers = messages.filter(({ role }) => role === 'agent').slice(-KEPT);
  const form = requests.findLast(({ status, isOwn }) => status === 'open' && !isOwn);
  return (
    <div class="unseen" aria-live="polite">
      {isUnderWay(state) && <p key="notice">{noticeOf(config, strings)}</p>}
      {answers.map(({ id, text, state: progress }) => {
        const plain = plainTextOf(parseMarkdown(text));
        const sentences = completeSentences(plain, lang, progress === 'done');
        return (
          <Fragment key={id}>
            {sentences.map((sentence, index) => (
              <p>{index ? sentence : `${strings.agent}: ${sentence}`}</p>
            ))}
          </Fragment>
        );
      })}
      {form && <p key={form.id}>{`${strings.agent}: ${form.definition.title}`}</p>}
    </div>
  );
}
