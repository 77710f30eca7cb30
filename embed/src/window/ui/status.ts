/**
 * What the banner says about the state, and which steps the visitor can take. Pure, so that a test
 * can prove that every dead end has a way out.
 */
import type { FailureCode } from '../../shared/codes';
import type { Config } from '../config';
import { isPast, type State } from '../conversation/window-state';
import type { Strings } from '../i18n';

/** What the visitor can do next; also the string on its button. */
export type Step =
  | 'resume'
  | 'continue_here'
  | 'try_again'
  | 'start_over'
  | 'start_new'
  | 'try_now'
  | 'continue_call'
  | 'play_sound';

export interface Status {
  text: string;
  /** Something is wrong, and screen readers announce it at once. */
  urgent?: boolean;
  /** The most likely one last. */
  steps?: Step[];
  /** Whether the owner's other contact address is offered, if there is one. */
  fallback?: boolean;
}

/** The codes with a sentence of their own. */
const REFUSALS: { readonly [code in FailureCode]?: keyof Strings } = {
  rate_limited: 'busy',
  widget_busy: 'busy',
  budget_used_up: 'used_up',
  voice_budget_used_up: 'microphone_used_up',
  webrtc_missing: 'webrtc_missing',
  signal_refused: 'signal_refused',
  media_unreachable: 'media_unreachable',
  origin_changed: 'other_site',
  conversation_token_invalid: 'gone',
  conversation_erased: 'erased',
};

export function statusOf(state: State, strings: Strings, config: Config): Status | null {
  const status = statusOfPhase(state, strings, config);
  if (!status) return statusOfCall(state, strings, config);
  const reason = reasonOf(state, strings);
  const isOver = isPast(state) || state.phase.name === 'continued-elsewhere';
  // A refusal of the same minutes says it itself.
  if (!reason || isOver || status.text.includes(reason)) return status;
  // The visitor has just asked for the microphone, and reads first what became of that.
  const text = `${reason} ${status.text}`;
  return { ...status, text, ...(state.voice.name === 'off' && { urgent: true }) };
}

/** What became of the visitor's wish to talk, where there is no call. */
function reasonOf({ voice }: State, strings: Strings): string | undefined {
  if (voice.name === 'requested') return strings.microphone_requested;
  if (voice.name !== 'off' || !voice.problem) return undefined;
  return voice.problem === 'failed' ? strings.failed : strings[`microphone_${voice.problem}`];
}

/** What stands in the way of the conversation, or is asked about it. */
function statusOfPhase(state: State, strings: Strings, config: Config): Status | null {
  const { phase } = state;
  const sentenceFor = (code: FailureCode) => strings[REFUSALS[code] ?? 'unavailable'];
  switch (phase.name) {
    case 'offered': {
      const text = phase.isOpenElsewhere ? strings.open_elsewhere : strings.offer;
      // The other step appears with the consent, which is asked for right below.
      if (!state.hasConsented) return { text, steps: ['start_over'] };
      return { text, steps: ['start_over', phase.isOpenElsewhere ? 'continue_here' : 'resume'] };
    }
    case 'continued-elsewhere':
      return { text: strings.continued_elsewhere, steps: ['start_over', 'continue_here'] };
    case 'gone':
      return { text: sentenceFor(phase.code), steps: ['start_new'] };
    case 'ended': {
      const thanks = config.post_conversation_feedback.thank_you_text || strings.thanks;
      return { text: phase.feedback === 'given' ? thanks : strings.ended, steps: ['start_new'] };
    }
    case 'refused': {
      // Of the conversations or of the minutes of voice.
      const isUsedUp = phase.code.endsWith('budget_used_up');
      const text = (isUsedUp && config.fallback.text) || sentenceFor(phase.code);
      const refusal: Status = { text, urgent: true, fallback: true };
      // Without WebRTC, a retry cannot succeed.
      return phase.code === 'webrtc_missing' ? refusal : { ...refusal, steps: ['try_now'] };
    }
    case 'retrying':
      return { text: strings.unreachable, urgent: true, steps: ['try_now'], fallback: true };
    case 'reconnecting':
      return { text: strings.reconnecting, urgent: true };
    case 'live':
      if (state.isAgentLate) return { text: strings.late };
      if (!phase.isSilent) return null;
      return {
        text: config.fallback.text || strings.silent,
        urgent: true,
        steps: ['try_again'],
        fallback: true,
      };
    default:
      return null;
  }
}

function statusOfCall(state: State, strings: Strings, config: Config): Status | null {
  const { phase, voice } = state;
  const reason = reasonOf(state, strings);
  if (reason && voice.name === 'off') {
    if (config.modes.text) return { text: `${reason} ${strings.in_writing}`, urgent: true };
    const help = voice.problem === 'denied' ? strings.allow_microphone : strings.voice_only;
    return { text: `${reason} ${help}`, urgent: true, fallback: true };
  }
  if (reason) return { text: reason };
  if (voice.name === 'on' && state.isInterrupted)
    return { text: strings.microphone_interrupted, urgent: true };
  if (voice.name === 'on' && state.isSoundBlocked)
    return { text: strings.sound_blocked, urgent: true, steps: ['play_sound'] };
  if (voice.name === 'paused') return { text: strings.call_paused, steps: ['continue_call'] };
  if ((phase.name === 'starting' || phase.name === 'joining') && voice.name === 'off')
    return { text: strings.connecting };
  return null;
}
