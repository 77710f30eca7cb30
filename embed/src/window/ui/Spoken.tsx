/**
 * What screen readers announce: what the agent writes, as plain text, one sentence after the other
 * as soon as it is complete. The transcript itself is silent, since it changes with every word.
 */
import { useMemo } from 'preact/hooks';
import { isUnderWay, type State } from '../conversation/window-state';
import { parseMarkdown, plainTextOf } from '../markdown';
import { completeSentences, splitSentences } from '../sentences';
import { useSurface } from './context';
import { noticeOf } from './Notice';

/** Answers that are kept: one may follow before the sentences of another were added. */
const KEPT = 3;

/** What may still become Markdown: a mark without its end, or the head of a table. */
const UNDECIDED = /[*_~`[|]/;

export function Spoken({ state }: { state: State }) {
  const { config, strings } = useSurface();
  const { messages, requests, voice, isSoundBlocked } = state;
  const answers = messages.filter(({ role }) => role === 'agent').slice(-KEPT);
  const form = requests.findLast(({ status, isOwn }) => status === 'open' && !isOwn);
  const isHeard = voice.name === 'on' && !isSoundBlocked;
  return (
    <div class="unseen">
      <div aria-live="polite">
        {isUnderWay(state) && <p key="notice">{noticeOf(config, strings)}</p>}
        {form && (
          <p key={form.id}>{`${strings.agent}: ${form.definition.title || strings.fill_in}`}</p>
        )}
      </div>
      {/* In a call, the agent says it itself. */}
      <div aria-live={isHeard ? 'off' : 'polite'}>
        {answers.map(({ id, text, state: progress }) => (
          <Answer key={id} text={text} isFinal={progress === 'done'} />
        ))}
      </div>
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
    const blocks = parseMarkdown(text);
    if (isFinal) return splitSentences(plainTextOf(blocks), lang);
    const [decided] = plainTextOf(blocks.splice(-1)).split(UNDECIDED);
    return completeSentences(`${plainTextOf(blocks)}\n${decided}`, lang);
  }, [text, isFinal]);
  return (
    <>
      {sentences.map((sentence, index) => (
        <p>{index ? sentence : `${strings.agent}: ${sentence}`}</p>
      ))}
    </>
  );
}
