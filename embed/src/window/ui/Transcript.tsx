/**
 * The turns so far. It scrolls with the newest text, unless the visitor has scrolled up to read.
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Message } from '../conversation/transcript';
import { agentOf, isSilent, isUnderWay, modeOf, type State } from '../conversation/window-state';
import { useSurface } from './context';
import { Icon } from './icons';
import { Notice, noticeOf } from './Notice';
import { Plain, Rich } from './Rich';
import { Welcome } from './Welcome';

/** Within so many pixels of the end, the transcript follows new text. */
const END_DISTANCE = 80;

export function Transcript({ state }: { state: State }) {
  const { config, strings } = useSurface();
  const log = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const { messages, isAwaitingAnswer, phase } = state;
  const last = messages.at(-1);
  const isTyping =
    !isSilent(state) &&
    (agentOf(state) === 'thinking' || isAwaitingAnswer) &&
    !(last?.role === 'agent' && last.state === 'streaming') &&
    (phase.name === 'live' || phase.name === 'joining' || phase.name === 'starting');

  const toEnd = () => log.current?.scrollTo({ top: log.current.scrollHeight });
  useLayoutEffect(() => {
    if (follows) toEnd();
  }, [messages, isTyping, follows, modeOf(state)]);

  // The visitor's own new message is always in sight.
  const typed = last?.role === 'visitor' && last.state === 'waiting' ? last.id : null;
  useLayoutEffect(() => {
    if (!typed) return;
    setFollows(true);
    toEnd();
  }, [typed]);

  useEffect(() => {
    const element = log.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const { scrollHeight, scrollTop, clientHeight } = element;
      if (scrollHeight - scrollTop - clientHeight < END_DISTANCE * 2) toEnd();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // One announcement for each turn, when it is final: streamed text would be read in fragments.
  const complete = messages.findLast((m) => m.role === 'agent' && m.state === 'done');

  return (
    <div class="middle">
      <div
        class="log"
        ref={log}
        role="log"
        aria-live="off"
        aria-label={strings.latest}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
          setFollows(scrollHeight - scrollTop - clientHeight < END_DISTANCE)
        }
      >
        {messages.length === 0 ? (
          <Welcome />
        ) : (
          <>
            <Notice />
            {messages.map((message, index) => (
              <Turn
                key={message.id}
                message={message}
                continues={messages[index - 1]?.role === message.role}
              />
            ))}
          </>
        )}
        {isTyping && (
          <div class="turn agent">
            <div class="bubble dots" role="img" aria-label={strings.typing}>
              <i />
              <i />
              <i />
            </div>
          </div>
        )}
      </div>
      {!follows && (
        <button
          type="button"
          class="latest"
          aria-label={strings.latest}
          onClick={() => {
            setFollows(true);
            toEnd();
          }}
        >
          <Icon name="down" />
        </button>
      )}
      <p class="unseen" aria-live="polite">
        {complete
          ? `${strings.agent}: ${complete.text}`
          : isUnderWay(state) && noticeOf(config, strings)}
      </p>
    </div>
  );
}

function Turn({ message, continues }: { message: Message; continues: boolean }) {
  const { strings } = useSurface();
  const { role, text, state } = message;
  const isAgent = role === 'agent';
  return (
    <div class={`turn ${role} ${state}${continues ? ' continues' : ''}`}>
      <span class="unseen">{isAgent ? strings.agent : strings.you}: </span>
      <div class="bubble" dir="auto">
        {isAgent ? <Rich text={text} /> : <Plain text={text} />}
      </div>
    </div>
  );
}
