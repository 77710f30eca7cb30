/** Loads the code of forms when one is open; most visitors never need it. */
import { useEffect, useState } from 'preact/hooks';
import { feedbackForm } from '../config';
import type { State } from '../conversation/window-state';
import type { FormValues } from '../service/service';
import { useSurface } from './context';

type FormComponent = typeof import('../forms/Form')['Form'];

export function FormSheet({ state }: { state: State }) {
  const { session, config, strings } = useSurface();
  const [loaded, setLoaded] = useState<{ Form: FormComponent } | null>(null);
  useEffect(() => {
    import('../forms/Form').then(setLoaded, () => session.closeForm(null));
  }, [session]);

  if (!loaded) return <div class="middle" />;
  const { Form } = loaded;
  if (state.form) {
    const { definition, moment, values } = state.form;
    return (
      <Form
        key={definition.id}
        definition={definition}
        earlier={values}
        strings={strings}
        submitLabel={
          definition.submit_label || (moment === 'before' ? strings.continue : strings.submit)
        }
        submit={(values: FormValues) => session.closeForm(values)}
        dismiss={() => session.closeForm(null)}
      />
    );
  }
  return (
    <Form
      key="feedback"
      definition={feedbackForm(config, strings)}
      title={strings.feedback}
      strings={strings}
      submitLabel={config.post_conversation_feedback.form.submit_label || strings.submit}
      submit={(values: FormValues) => session.submitFeedback(values)}
    />
  );
}
