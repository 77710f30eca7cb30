/**
 * The turns so far. It scrolls with the newest text, unless the visitor has scrolled up to read.
 */
import { type ComponentChild, Fragment } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Message } from '../conversation/transcript';
import {
  agentOf,
  asksFeedback,
  isBlank,
  isHeldElsewhere,
  isSilent,
  isUnderWay,
  modeOf,
  type State,
} from '../conversation/window-state';
import { clockTime, dayName, fullTime, isSameDay } from '../times';
import { CopyButton } from './CopyButton';
import { useSurface } from './context';
import { Dots } from './Dots';
import { FeedbackCard } from './FeedbackCard';
import { FormCard } from './FormCard';
import { Icon } from './icons';
import { Notice } from './Notice';
import { Plain, Rich } from './Rich';
import { Spoken } from './Spoken';
import { Welcome } from './Welcome';

/** Within so many pixels of the end, the transcript follows new text. */
const END_DISTANCE = 80;

export function Transcript({ state }: { state: State }) {
  const { strings } = useSurface();
  const log = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  /** The same at once: a card that is drawn decides before the transcript around it. */
  const isFollowing = useRef(true);
  const setFollowing = (next: boolean) => {
    isFollowing.current = next;
    setFollows(next);
  };
  const { messages, requests, isAwaitingAnswer, phase } = state;
  const last = messages.at(-1);
  const openRequest = requests.findLast(({ status }) => status === 'open');
  const isTyping =
    !isSilent(state) &&
    !state.isAgentLate &&
    // An agent that waits for a form counts as thinking.
    (isAwaitingAnswer || (agentOf(state) === 'thinking' && !openRequest)) &&
    !(last?.role === 'agent' && last.state === 'streaming') &&
    (phase.name === 'live' || phase.name === 'joining' || phase.name === 'starting');

  const isWelcome = isBlank(state);
  /** A welcome that is higher than the window is read from its beginning. */
  const toEnd = () => {
    const element = log.current;
    if (!element?.querySelector('.welcome')) element?.scrollTo({ top: element.scrollHeight });
  };
  const follow = () => {
    // A visitor who fills in a form keeps it in sight.
    if (isFollowing.current && !log.current?.querySelector('.card :focus')) toEnd();
  };
  useLayoutEffect(follow, [messages, requests, isTyping, follows, modeOf(state)]);

  // The visitor's own new message is always in sight.
  const typed = last?.role === 'visitor' && last.state === 'waiting' ? last.id : null;
  const opened = openRequest?.isOwn ? openRequest.id : null;
  useLayoutEffect(() => {
    if (!typed && !opened) return;
    setFollowing(true);
    toEnd();
  }, [typed, opened]);

  useEffect(() => {
    const element = log.current;
    if (!element) return;
    // The keyboard of a phone takes half of the window.
    const observer = new ResizeObserver(follow);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  /** A form is read from its beginning, also where it is higher than the window. */
  const showCard = (card: HTMLElement) => {
    if (!log.current || !isFollowing.current) return;
    toEnd();
    const { top } = log.current.getBoundingClientRect();
    const above = Math.min(0, card.getBoundingClientRect().top - top - 8);
    if (above) setFollowing(false);
    log.current.scrollBy({ top: above });
  };
  // Once below the last of them: they are sent together.
  const marked = messages.findLast((message) => message.state === 'waiting');
  const isKnown = (id: string | null) => messages.some((message) => message.id === id);
  const cardsAfter = (turn: string | null) =>
    requests
      .filter(({ after }) => (isKnown(after) ? after : null) === turn)
      .map((request) => <FormCard key={request.id} request={request} onDrawn={showCard} />);

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
          setFollowing(scrollHeight - scrollTop - clientHeight < END_DISTANCE)
        }
      >
        {isWelcome ? (
          <Welcome canAsk={modeOf(state) === 'text'} />
        ) : (
          <>
            {state.hasConsented && <Notice />}
            {cardsAfter(null)}
            {messages.map((message, index) => (
              <Fragment key={message.id}>
                <Day message={message} before={messages[index - 1]} />
                <Turn
                  message={message}
                  continues={messages[index - 1]?.role === message.role}
                  isLast={messages[index + 1]?.role !== message.role}
                  mark={message.id === marked?.id && <Mark state={state} />}
                />
                {cardsAfter(message.id)}
              </Fragment>
            ))}
          </>
        )}
        {asksFeedback(state) && <FeedbackCard onDrawn={showCard} />}
        {isTyping && (
          <div class="turn agent">
            <Dots label={strings.typing} isBubble />
          </div>
        )}
      </div>
      {!follows && !isWelcome && (
        <button
          type="button"
          class="latest"
          aria-label={strings.latest}
          onClick={() => {
            setFollowing(true);
            toEnd();
          }}
        >
          <Icon name="down" />
        </button>
      )}
      <Spoken state={state} />
    </div>
  );
}

/** Says in words that a message is on its way, or that it is not. */
function Mark({ state }: { state: State }) {
  const { strings, session } = useSurface();
  if (isUnderWay(state)) return <p class="mark sending">{strings.sending}</p>;
  const { phase, hasConsented } = state;
  // The consent, or the choice of the tab, is asked for right below.
  const isAsked = !hasConsented || phase.name === 'continued-elsewhere' || isHeldElsewhere(state);
  const isHopeless = phase.name === 'refused' && phase.code === 'webrtc_missing';
  return (
    <p class="mark">
      {strings.unsent}{' '}
      {!isAsked && !isHopeless && (
        <button type="button" onClick={() => session.sendAgain()}>
          {strings.try_again}
        </button>
      )}
    </p>
  );
}

interface TurnProps {
  message: Message;
  continues: boolean;
  /** Of those of the same role, one after the other. */
  isLast: boolean;
  mark: ComponentChild;
}

function Turn({ message, continues, isLast, mark }: TurnProps) {
  const { strings } = useSurface();
  const { role, text, state } = message;
  const isAgent = role === 'agent';
  return (
    <div class={`turn ${role} ${state}${continues ? ' continues' : ''}`}>
      <span class="unseen">{isAgent ? strings.agent : strings.you}: </span>
      <div class="bubble" dir="auto">
        {isAgent ? <Rich text={text} /> : <Plain text={text} />}
      </div>
      {mark || (state === 'done' && (isLast || isAgent) && <Meta message={message} />)}
    </div>
  );
}

/** The day on which the turns below it were said, where it is another one. */
function Day({ message, before }: { message: Message; before: Message | undefined }) {
  const now = new Date();
  const { created_at } = message;
  if (isSameDay(before?.created_at ?? now.toISOString(), created_at)) return null;
  return <p class="day">{dayName(created_at, +now, document.documentElement.lang)}</p>;
}

/** When it was said, and for an answer a way to copy it. */
function Meta({ message: { role, text, created_at } }: { message: Message }) {
  const { lang } = document.documentElement;
  const full = fullTime(created_at, lang);
  return (
    <div class="meta">
      <time dateTime={created_at} title={full}>
        <span aria-hidden="true">{clockTime(created_at, lang)}</span>
        <span class="unseen">{full}</span>
      </time>
      {role === 'agent' && <CopyButton text={text} />}
    </div>
  );
}
