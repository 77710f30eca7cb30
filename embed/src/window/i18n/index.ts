/** Picks the visitor's language; every language but English is a chunk of its own. */
import { RIGHT_TO_LEFT } from '../../generated/languages';
import { en, type Strings } from './en';

export type { Strings } from './en';

export const LANGUAGES = {
  es: () => import('./es'),
  fr: () => import('./fr'),
  de: () => import('./de'),
  'pt-BR': () => import('./pt-BR'),
  ja: () => import('./ja'),
  ar: () => import('./ar'),
} as const;

export type Language = 'en' | keyof typeof LANGUAGES;

/** The first preferred language that exists, by its primary tag; English when none does. */
export function chooseLanguage(preferred: readonly (string | null | undefined)[]): Language {
  const known = ['en', ...Object.keys(LANGUAGES)] as Language[];
  for (const tag of preferred) {
    const primary = tag?.split(/[-_]/)[0]?.toLowerCase();
    const found = known.find((language) => language.split('-')[0] === primary);
    if (primary && found) return found;
  }
  return 'en';
}

export function directionOf(language: Language): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.includes(language) ? 'rtl' : 'ltr';
}

/** Strings, and the language that they are in. */
export interface Catalog {
  language: Language;
  strings: Strings;
}

export const ENGLISH: Catalog = { language: 'en', strings: en };

/** English when the chunk cannot be loaded: another language is better than no text. */
export async function loadCatalog(language: Language): Promise<Catalog> {
  if (language === 'en') return ENGLISH;
  try {
    const { strings } = await LANGUAGES[language]();
    return { language, strings };
  } catch {
    return ENGLISH;
  }
}
