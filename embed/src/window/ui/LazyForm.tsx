/** Loads the code of forms when one is open; most visitors never need it. */
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { FormProps } from '../forms/Form';
import { useSurface } from './context';

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

  if (!module) return null;
  if (module !== 'failed') return <module.Form {...props} />;
  return (
    <div class="banner urgent" role="alert">
      <p>{strings.form_unavailable}</p>
      <div class="choices">
        {props.dismiss && (
          <button type="button" class="small" onClick={props.dismiss}>
            {strings.cancel}
          </button>
        )}
        <button type="button" class="small primary" onClick={load}>
          {strings.try_again}
        </button>
      </div>
    </div>
  );
}
