/**
 * What the banner says about the state of things, and which steps lead on from there. Pure, so that no
 * state can be left without a way out unnoticed.
 */
import type { Config } from '../config';
import type { Strings } from '../i18n';
import type { State } from '../state';

/** What the visitor may do next, named as the words on its button. */
export type Step = 'go_on' | 'here' | 'again' | 'fresh' | 'new' | 'retry';

export interface Status {
  text: string;
  /** Something is wrong, and is read out at once. */
  urgent?: boolean;
  /** The likeliest one last. */
  steps?: Step[];
  /** Whether the owner's other ways of being reached are named, if there are any. */
  fallback?: boolean;
}

/** The sentence for each code that the service refuses with and that has one of its own. */
const SENTENCES = new Map<string, keyof Strings>([
  ['rate_limited', 'busy'],
  ['widget_busy', 'busy'],
  ['budget_used_up', 'used_up'],
  ['origin_changed', 'other_site'],
  ['conversation_token_invalid', 'gone'],
]);

export function statusOf(state: State, strings: Strings, config: Config): Status | null {
  const { phase, mode, elsewhere, feedback } = state;
  const refusal = strings[SENTENCES.get(state.refusal ?? '') ?? 'unavailable'];
  switch (phase) {
    case 'offered': {
      const text = elsewhere ? strings.elsewhere : strings.offer;
      // The step that leads on appears with the consent, which is asked for right below.
      if (!state.consented) return { text, steps: ['fresh'] };
      return { text, steps: ['fresh', elsewhere ? 'here' : 'go_on'] };
    }
    case 'taken':
      return { text: strings.taken, steps: ['fresh', 'here'] };
    case 'gone':
      return { text: refusal, steps: ['new'] };
    case 'ended': {
      const thanks = config.post_conversation_feedback.thank_you_text || strings.thanks;
      return { text: feedback === 'given' ? thanks : strings.ended, steps: ['new'] };
    }
    case 'refused':
      return { text: refusal, urgent: true, steps: ['retry'], fallback: true };
    case 'retrying':
      return { text: strings.unreachable, urgent: true, steps: ['retry'], fallback: true };
    case 'reconnecting':
      return { text: strings.reconnecting, urgent: true };
  }
  if (state.silent) {
    const text = config.fallback.text || strings.silent;
    return { text, urgent: true, steps: ['again'], fallback: true };
  }
  if (state.microphoneProblem)
    return { text: strings[`microphone_${state.microphoneProblem}`], urgent: true };
  if (state.asking) return { text: strings.asking };
  if ((phase === 'starting' || phase === 'connecting') && mode === 'text')
    return { text: strings.connecting };
  return null;
}
