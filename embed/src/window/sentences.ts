/** Splits what the agent says into sentences, which screen readers get one by one. */

/** Without `Intl.Segmenter`: ends of sentences in Latin, Arabic and East Asian scripts. */
const ENDS = /(?<=[.!?\u061f]\s|[\u3002\uff01\uff1f]|\n)/u;

/** By language: building one takes far longer than using it, and answers grow word by word. */
const segmenters = new Map<string, Intl.Segmenter>();

function segmenterOf(language: string): Intl.Segmenter {
  const known =
    segmenters.get(language) ?? new Intl.Segmenter(language, { granularity: 'sentence' });
  segmenters.set(language, known);
  return known;
}

/** The sentences of a text, in its language. */
export function splitSentences(text: string, language: string): string[] {
  const parts =
    'Segmenter' in Intl
      ? [...segmenterOf(language).segment(text)].map(({ segment }) => segment)
      : text.split(ENDS);
  // The number of a list's item is not a sentence of its own.
  const whole = parts.reduce<string[]>((done, part) => {
    const last = done.at(-1);
    if (last && /^\s*\d+\.\s*$/.test(last)) done[done.length - 1] = last + part;
    else done.push(part);
    return done;
  }, []);
  return whole.map((part) => part.trim()).filter(Boolean);
}

/** Those that are certainly complete, while text streams in: the last one may continue. */
export function completeSentences(text: string, language: string): string[] {
  return splitSentences(text, language).slice(0, -1);
}
