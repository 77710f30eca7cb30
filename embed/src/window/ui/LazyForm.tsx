/** Loads the code of forms when one is open; most visitors never need it. */
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { FormProps } from '../forms/Form';
import { useSurface } from './context';
import { Dots } from './Dots';

type FormModule = typeof import('../forms/Form');

/** For further forms, which then need not wait. */
let loaded: FormModule | null = null;

interface Props extends FormProps {
  /** The fields are drawn. */
  onDrawn?(): void;
}

export function LazyForm({ onDrawn, ...props }: Props) {
  const { strings } = useSurface();
  const [module, setModule] = useState<FormModule | 'failed' | null>(loaded);

  function load() {
    setModule(null);
    import('../forms/Form').then(
      (found) => {
        loaded = found;
        setModule(found);
      },
      () => setModule('failed'),
    );
  }
  useEffect(() => {
    if (!loaded) load();
  }, []);

  useLayoutEffect(() => {
    if (module) onDrawn?.();
  }, [module]);

  if (module && module !== 'failed') return <module.Form {...props} />;
  const { definition, title, dismiss, dismissLabel = strings.cancel } = props;
  const cancel = dismiss && (
    <button type="button" class="small" onClick={dismiss}>
      {dismissLabel}
    </button>
  );
  if (!module)
    return (
      <div class="form" role="status">
        <Dots label={definition.title || title || strings.fill_in} />
        <div class="choices">{cancel}</div>
      </div>
    );
  return (
    <div class="banner urgent" role="alert">
      <p>{strings.form_unavailable}</p>
      <div class="choices">
        {cancel}
        <button type="button" class="small primary" onClick={load}>
          {strings.try_again}
        </button>
      </div>
    </div>
  );
}
